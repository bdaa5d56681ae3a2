"""docgen fills, prints, recognises and sends the documents that follow a lycée's tablets."""
