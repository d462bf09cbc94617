"""Memory of a step: how large a batch may be, what happens when it runs out, what the allocator keeps."""
