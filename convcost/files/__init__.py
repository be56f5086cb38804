"""What reads: specs, their configuration, and what they were, from files and from git."""
