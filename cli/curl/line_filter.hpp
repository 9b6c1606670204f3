// Leaves lines out of a text that comes in pieces.
#pragma once

#include <string>
#include <string_view>

namespace mayfly::cli {

class LineFilter {
 public:
  // Leaves out the lines that begin with this text. An empty one leaves out nothing.
  explicit LineFilter(std::string_view beginning) : beginning_(beginning) {}

  // Returns the text that can be shown now. The beginning of a line waits for the next piece if the
  // line may be one to leave out.
  std::string next(std::string_view piece);
  // Returns the text that still waited.
  std::string rest();

 private:
  std::string beginning_, held_;
  enum class Line { begins, shown, left_out } line_ = Line::begins;
};

}  // namespace mayfly::cli
