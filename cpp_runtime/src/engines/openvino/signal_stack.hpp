// The stack on which a thread runs its signal handlers.
#pragma once

#if defined(__linux__)
#include <csignal>
#endif

namespace nanoedge {

// Gives the calling thread its own signal stack back at the end of the scope. OpenVINO's CPU plugin replaces it in the
// thread that loads a network and frees it in the thread that lets go of the last one: when that is another thread, the
// next signal of the first, Ctrl-C for example, would run in freed memory.
class KeptSignalStack {
 public:
#if defined(__linux__)
  KeptSignalStack() : known_(sigaltstack(nullptr, &before_) == 0) {}
  ~KeptSignalStack() {
    if (known_) sigaltstack(&before_, nullptr);
  }
#endif
  KeptSignalStack(const KeptSignalStack&) = delete;
  KeptSignalStack& operator=(const KeptSignalStack&) = delete;
#if defined(__linux__)

 private:
  stack_t before_{};
  bool known_;
#else
  KeptSignalStack() {}
  ~KeptSignalStack() {}
#endif
};

}  // namespace nanoedge
