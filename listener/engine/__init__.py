"""Who runs the pipeline's steps, and when; no business rules. `threads` is the embedded default."""
