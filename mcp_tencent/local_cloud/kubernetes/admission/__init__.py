"""What is checked and completed before an object is stored: defaults, validation, quota."""
