"""What a task is to a model, and what an answer is to a task: prompts, extraction, assembly. Pure."""
