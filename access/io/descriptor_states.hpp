// The memory that Asio's event loop keeps for each descriptor it has watched.
#pragma once

#include <asio/any_io_executor.hpp>
#include <cstddef>

#include "access/system/descriptor.hpp"

namespace mayfly {

// Asio allocates a state for each descriptor that it watches, and keeps it for the next descriptor
// for as long as the event loop lives. A state that lies between pieces of a connection's memory
// keeps their page from being given back. So this allocates states in blocks, before connections
// need them.
class DescriptorStates {
 public:
  // Opens a file; call it before the process is confined. Without that file, reserve() does
  // nothing.
  DescriptorStates();

  // Allocates states until there are some for so many descriptors at once. At least `used` of them
  // are watched now.
  void reserve(const asio::any_io_executor& executor, std::size_t descriptors, std::size_t used);

 private:
  Descriptor file_;
  std::size_t reserved_ = 0;
};

}  // namespace mayfly
