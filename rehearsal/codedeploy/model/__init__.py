"""What a deployment does and when: pure, with time handed in; no input or output."""
