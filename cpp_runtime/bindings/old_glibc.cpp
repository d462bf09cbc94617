// What libstdc++ of a newer system asks of its C library and an older one lacks.
//
// Since glibc 2.32 this says that a process has one thread and needs no atomic counters. Without it there may be more.
extern "C" __attribute__((visibility("hidden"))) char __libc_single_threaded;
char __libc_single_threaded = 0;
