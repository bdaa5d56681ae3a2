"""What is mailed, and what comes by mail: messages composed and read; nothing is sent here."""
