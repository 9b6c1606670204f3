// A scripted edge and a temporary state directory: what identity code needs of the world in tests.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/system/files.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly::test {

// A StateDirectory that goes away with its content.
class TemporaryState {
 public:
  TemporaryState();
  TemporaryState(const TemporaryState&) = delete;
  TemporaryState& operator=(const TemporaryState&) = delete;

  const StateDirectory& directory() const { return state_; }
  std::string content(const std::string& name) const;  // "" when it is not there
  std::vector<std::string> names() const;              // sorted
  void set_age(const std::string& name, std::chrono::seconds age) const;

 private:
  testing::ScratchDirectory scratch_;
  StateDirectory state_;
};

// Answers requests from a table by "https://host/path" (no query), and remembers them. A request
// that is not in the table is a failure of the test.
class ScriptedSend {
 public:
  using Answer = std::function<Response(const Request&)>;

  void on(const std::string& place, Answer answer) { answers_[place] = std::move(answer); }
  void on(const std::string& place, Response response);
  Send send();
  const std::vector<Request>& requests() const { return requests_; }
  std::size_t count(const std::string& place) const;
  const Request& last(const std::string& place) const;
  void forget_requests() { requests_.clear(); }

 private:
  std::map<std::string, Answer> answers_;
  std::vector<Request> requests_;
};

Response answer(int status, Headers headers = {}, std::string body = {});
Response redirect(const std::string& location, Headers headers = {});
// Returns the transfer service's answer: the content in a box for this key (base64url).
Response sealed_answer(std::string_view content, const std::string& receiver_key);
std::string request_header(const Request& request, std::string_view name);  // "" when absent
// The Error an action throws; fails the test when it throws none.
Error error_of(const std::function<void()>& action);

Application test_application();
Url test_url();

}  // namespace mayfly::test
