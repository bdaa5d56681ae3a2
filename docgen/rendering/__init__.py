"""Templates and values become paper: lay out once, fill fast, impose, bind."""
