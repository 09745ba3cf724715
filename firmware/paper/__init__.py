"""What is printed, as bytes for the head; nothing here asks the printer or decides to print."""
