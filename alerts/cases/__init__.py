"""Cases: from the first event of an incident to the file that is written off."""
