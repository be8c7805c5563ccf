"""The built-in validators; a plan can use any module here by its name."""
