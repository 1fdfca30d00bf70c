"""What is loaded into a process: by dumps and cores, and by what a program names."""
