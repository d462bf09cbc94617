// What the files of the binding share.
#pragma once

#include <exception>
#include <map>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <string>

#include "nanoedge/error.hpp"

// nanoedge._runtime.NativeNetwork
void bind_native(pybind11::module_& module);

// The value that a name stands for.
template <typename T>
T choice(const std::map<std::string, T>& known, const std::string& value, const char* what) {
  const auto found = known.find(value);
  if (found != known.end()) return found->second;
  std::string names;
  for (const auto& item : known) names += (names.empty() ? "" : ", ") + item.first;
  throw nanoedge::Error(nanoedge::ErrorKind::input,
                        std::string("Unknown ") + what + " '" + value + "'; known: " + names + ".");
}

inline std::string describe(const pybind11::array& array) {
  std::string text = pybind11::str(array.dtype()).cast<std::string>() + " [";
  for (pybind11::ssize_t i = 0; i < array.ndim(); ++i) text += (i > 0 ? ", " : "") + std::to_string(array.shape(i));
  return text + "]";
}

// Calls `work` while other Python threads may run. Not by py::gil_scoped_release: when Python ends meanwhile, taking
// the lock again ends this thread by unwinding, which a destructor does not survive.
template <class F>
void without_gil(F&& work) {
  std::exception_ptr error;
  PyThreadState* state = PyEval_SaveThread();
  try {
    work();
  } catch (const std::exception&) {
    error = std::current_exception();
  }
  PyEval_RestoreThread(state);
  if (error) std::rethrow_exception(error);
}
