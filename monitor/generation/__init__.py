"""vLLM: the managed server, the remote server, and the client of both."""
