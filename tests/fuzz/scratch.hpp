// A directory under TMPDIR for harnesses of what reads files; gone at the end.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "access/system/files.hpp"

namespace mayfly::fuzz {

class Scratch {
 public:
  Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  // Mode 0600.
  void put(std::string_view name, std::string_view content) const;
  std::string content(std::string_view name) const;  // "" when it is not there
  bool holds(std::string_view name) const;
  // Removes everything in it.
  void clear() const;

 private:
  std::string path_;
};

class ScratchState : public Scratch {
 public:
  ScratchState() : state_(StateDirectory::open(path())) {}
  const StateDirectory& state() const { return state_; }

 private:
  StateDirectory state_;
};

}  // namespace mayfly::fuzz
