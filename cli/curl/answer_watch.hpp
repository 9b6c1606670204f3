// Watches the heads of the answers that curl gets with a service token.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access/core/url.hpp"
#include "access/curl/http.hpp"

namespace mayfly::cli {

class AnswerWatch {
 public:
  // team: the team domain of the application at `url`.
  AnswerWatch(Url url, std::string team) : url_(std::move(url)), team_(std::move(team)) {}

  // Takes the next bytes of what curl writes for --dump-header.
  void feed(std::string_view bytes);

  // The first answer by which Access refuses the service token. Answers of the origin are none.
  const std::optional<Response>& refusal() const noexcept { return refusal_; }
  // Whether the last answer redirects to another host, port or scheme than that of `url`.
  bool leads_elsewhere() const noexcept { return leads_elsewhere_; }

 private:
  void judge(std::string_view head);

  Url url_;
  std::string team_, held_;
  std::optional<Response> refusal_;
  bool leads_elsewhere_ = false;
};

}  // namespace mayfly::cli
