"""How rare a program is: its features, how common they are in a corpus, and a score made of both."""
