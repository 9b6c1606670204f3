// Watches the heads of the answers that curl gets with a credential.
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
  bool leads_elsewhere() const noexcept {
    return redirects_ && (!next_ || next_->origin() != url_.origin());
  }
  // Where the last answer redirects to, or nullopt if it does not, or to no address over TLS.
  const std::optional<Url>& next() const noexcept { return next_; }

 private:
  void judge(std::string_view head);
  void read_redirect(const Response& response);

  Url url_;
  std::string team_, held_;
  std::optional<Response> refusal_;
  bool redirects_ = false;  // the last answer does
  std::optional<Url> next_;
};

}  // namespace mayfly::cli
