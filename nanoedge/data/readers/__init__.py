"""Reading annotations as they stand into an `AnnotationSet`: one format a file."""
