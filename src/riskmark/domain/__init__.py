"""What a book is: portfolios, lots, flows, instruments, sessions, factor models, reasons."""
