#include "cli/curl/curl_guard.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/http1/head.hpp"
#include "access/system/platform.hpp"
#include "cli/curl/curl_configuration.hpp"
#include "cli/curl/curl_trust.hpp"
#include "cli/curl/curl_url.hpp"
#include "cli/curl/memory_file.hpp"

namespace mayfly::cli {
namespace {

using Option = CurlArguments::Option;

// Returns whether the value becomes a part of a request's body, or of curl's own output, alone.
bool is_free_text(std::string_view name) {
  return is_among(name, {"data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "form",
                         "form-string", "json", "variable", "write-out"});
}

// curl writes many values unchanged into the head of an HTTP/1.1 request, where a line end or, in
// the target, a blank would begin another request.
bool begins_another_request(const Option& option) {
  if (option.name == "request" && !option.value.empty() && !is_token(option.value)) return true;
  if (option.name == "request-target" && option.value.find_first_of(" \t") != std::string::npos)
    return true;
  return !is_free_text(option.name) &&
         option.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos;
}

class Guard {
 public:
  GuardedCurl guard(const CurlArguments& curl) {
    redirects_ = curl.redirects;
    identity_ = &curl.network.identity;
    for (const std::string& url : curl.urls) refuse_access_in_curl_url(url);
    if (!ignores_configuration(curl)) {
      if (const auto path = default_curl_configuration()) {
        result_.default_configuration = {"--config", configuration(*path)};
      }
    }
    result_.words = guarded(curl.options, curl.arguments);
    result_.inserted = without_built_in_directory(curl.options);
    refuse_headers_in_files();
    return std::move(result_);
  }

 private:
  // Returns the words with the values replaced that name outputs or files to clean.
  std::vector<std::string> guarded(const std::vector<Option>& options,
                                   std::vector<std::string> words) {
    for (const Option& option : options) {
      if (where_.empty()) place_ = option.word;
      judge(option);
      result_.given.push_back({.option = option, .is_configured = !where_.empty()});
      const auto value = option.is_negated ? std::nullopt : replacement(option);
      if (!value) continue;
      std::string& word = words[option.word];
      word.replace(word.size() - option.value.size(), option.value.size(), *value);
    }
    return words;
  }

  // Returns the path of a checked copy of the configuration.
  std::string configuration(const std::string& path) {
    const std::string outer = std::exchange(where_, path);
    std::vector<ConfigurationLine> lines = parse_curl_configuration(read_for_curl(path));
    std::vector<Option> all;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      ConfigurationLine& line = lines[i];
      const CurlArguments parsed = parse_curl_arguments(line);
      for (const Option& option : parsed.options) all.emplace_back(option).word = i;
      if (parsed.options.empty()) refuse(line.front(), "it is no option of curl's");
      // parse_curl_arguments() takes the PIN out of a pkcs11: URI; curl needs it here.
      line = guarded(parsed.options, line);
      for (const std::string& url : parsed.urls) {
        refuse_access_in_curl_url(url);
        result_.configured_urls.push_back(url);
      }
    }
    const auto more = without_built_in_directory(all);
    for (auto place = more.rbegin(); place != more.rend(); ++place)
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(place->first), place->second);
    if (redirects_ == CurlArguments::Redirects::refused) lines = without_redirects(lines);
    where_ = outer;
    return add_file(render_curl_configuration(lines));
  }

  // In a part between two "next" the last of several equal options counts.
  static std::vector<ConfigurationLine> without_redirects(
      const std::vector<ConfigurationLine>& lines) {
    std::vector<ConfigurationLine> all;
    for (const ConfigurationLine& line : lines) {
      const auto options = parse_curl_arguments(line).options;
      if (!options.empty() && options.front().name == "next") all.push_back(no_redirects);
      all.push_back(line);
    }
    all.push_back(no_redirects);
    return all;
  }

  std::string add_file(std::string_view content) {
    result_.files.push_back(anonymous_file(content));
    return path_of(result_.files.back());
  }

  void judge(const Option& option) {
    const std::string_view name = option.name;
    if (name.empty()) refuse(option.spelling, "mayfly does not know what it writes");
    if (option.is_negated) return;
    if (is_among(name, {"trace", "trace-ascii", "libcurl"}))
      refuse(option.spelling, "curl would write the token there");
    if (name == "ssl-sessions")
      refuse(option.spelling, "whoever reads that file can go on as you with your certificate");
    if (begins_another_request(option))
      refuse(option.spelling, "its value would begin another request");
    if (is_among(name, {"cacert", "capath"})) result_.trust_named_at.push_back(place_);
    if (name == "config" && !where_.empty())
      refuse(option.spelling, "a configuration cannot name another one here");
    const bool is_file = is_among(name, {"output", "output-dir", "upload-file"});
    if (option.is_expanded && (name == "write-out" || (!is_free_text(name) && !is_file)))
      refuse("--expand-" + std::string(name), "its value is not known before curl runs");
    if (is_among(name, {"include", "show-headers", "head"})) {
      headers_shown_ = describe(option);
      clean(STDOUT_FILENO);
    }
    if (name == "verbose" && ++verbosity_ > 2)
      refuse(option.spelling, "curl would show all data with it three times");
    if (is_among(name, {"verbose", "trace-config"})) clean(STDERR_FILENO);
    if (is_among(name, {"verbose", "trace-config"})) talkative_ = describe(option);
    if (name == "request-target") refuse_access_in_curl_target(option.value);
    if (is_among(name, {"follow", "location", "location-trusted"})) result_.follows = true;
    if (name == "stderr") redirected_ = true;
    const bool is_nowhere = is_among(option.value, {"-", "/dev/null"}) && !option.is_expanded;
    if (name == "output" && !is_nowhere) result_.has_output_file = true;
    if (is_among(name, {"remote-name", "remote-name-all"})) result_.has_output_file = true;
  }

  std::optional<std::string> replacement(const Option& option) {
    if (option.name == "config") return configuration(option.value);
    if (option.name == "write-out") return format(option);
    if (option.name == "dump-header") return output(CleanedOutput::As::text, option.value);
    if (option.name == "header") return header(option);
    if (option.name == "cookie-jar") return output(CleanedOutput::As::cookie_jar, option.value);
    return std::nullopt;
  }

  // curl has variables for the headers of a response, which may hold a token, and writes to another
  // file after %output{FILE}.
  std::optional<std::string> format(const Option& option) {
    const bool is_in_file = option.value.starts_with('@');
    const std::string given = is_in_file ? read_for_curl(option.value.substr(1)) : option.value;
    const std::string text = to_lower(given);  // as many versions of curl do
    if (text.find("%header{") != std::string::npos ||
        text.find("%{header_json}") != std::string::npos) {
      talkative_ = describe(option);
      if (text.find("%output{") != std::string::npos)
        refuse(option.spelling, "it would write headers into a file");
      clean(STDOUT_FILENO);
      clean(STDERR_FILENO);
    }
    if (!is_in_file) return std::nullopt;
    return "@" + add_file(given);
  }

  // curl reads "Name: value", "Name;" for an empty value, and "@FILE" with a header in each line.
  std::optional<std::string> header(const Option& option) {
    if (!identity_->have_service_token()) return std::nullopt;
    const bool is_in_file = option.value.starts_with('@');
    const std::string lines = is_in_file ? read_for_curl(option.value.substr(1)) : option.value;
    for (const std::string_view line : split(lines, '\n'))
      refuse_second_service_token(trim(line.substr(0, line.find_first_of(":;"))), *identity_);
    if (!is_in_file) return std::nullopt;
    return "@" + add_file(lines);
  }

  std::optional<std::string> output(CleanedOutput::As as, const std::string& path) {
    if (path == "-") {
      clean(STDOUT_FILENO);
      return std::nullopt;
    }
    for (const CleanedOutput& known : result_.outputs)
      if (known.path == path && known.as == as) return path_of(known.pipe.writing);
    const bool holds_heads = as == CleanedOutput::As::text;
    return path_of(add_output({.as = as, .path = path, .holds_heads = holds_heads}).pipe.writing);
  }

  void clean(int stream) {
    for (const CleanedOutput& known : result_.outputs)
      if (known.stream == stream) return;
    add_output({.stream = stream});
  }

  const CleanedOutput& add_output(CleanedOutput output) {
    output.pipe = make_pipe("cannot watch curl");
    result_.outputs.push_back(std::move(output));
    return result_.outputs.back();
  }

  void refuse_headers_in_files() const {
    if (!headers_shown_.empty() && result_.has_output_file)
      refuse_as(headers_shown_, "a token in the answer's headers would be written into a file",
                "use --dump-header FILE, which mayfly cleans, or leave --output out");
    if (!talkative_.empty() && redirected_)
      refuse_as(talkative_, "with --stderr it would be written where mayfly cannot clean it",
                "redirect standard error instead: 2>FILE");
  }

  std::string describe(const Option& option) const {
    return where_.empty() ? option.spelling : fmt::format("{} in {}", option.spelling, where_);
  }

  [[noreturn]] void refuse(const std::string& spelling, std::string_view why) const {
    const std::string what =
        where_.empty() ? spelling : fmt::format("{} in {}", spelling, printable(where_));
    refuse_as(what, why,
              where_.empty() ? "leave it out, or use -v, which mayfly cleans"
                             : "take it out of the file; -q, as the first argument, leaves out "
                               "curl's own configuration");
  }

  [[noreturn]] static void refuse_as(const std::string& what, std::string_view why,
                                     std::string_view hint) {
    throw Error(ErrorKind::usage,
                fmt::format("curl's {} is not possible here: {}", printable(what), why),
                std::string(hint));
  }

  GuardedCurl result_;
  std::string where_;      // the configuration that is read; "" is the command line
  std::size_t place_ = 0;  // the word of the command line that is judged or named the configuration
  std::string headers_shown_, talkative_;
  const IdentityFlags* identity_ = nullptr;
  CurlArguments::Redirects redirects_ = CurlArguments::Redirects::refused;
  int verbosity_ = 0;
  bool redirected_ = false;
};

}  // namespace

GuardedCurl guard_curl(const CurlArguments& curl) {
  return Guard().guard(curl);
}

}  // namespace mayfly::cli
