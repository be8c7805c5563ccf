"""What is said over a connection that is not plain HTTP: TCP, WebSocket, gRPC, DNS."""
