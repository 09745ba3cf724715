"""What goes on beside the merchant, one duty a file; nothing here asks the merchant anything."""
