// Keeps tokens out of curl's output: refuses options whose output cannot be cleaned, and leads the
// output of others through mayfly.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "access/system/descriptor.hpp"
#include "cli/curl/curl_arguments.hpp"

namespace mayfly::cli {

// An output of curl that mayfly cleans before it is written. Without a path and a stream it is a
// pipe that curl only keeps open, by which run_watched_curl() sees that curl has ended.
struct CleanedOutput {
  enum class As { text, cookie_jar, nothing } as = As::text;  // nothing: it is only heard
  std::string path = {};                                      // where the cleaned bytes go; or
  int stream = -1;                                            // STDOUT_FILENO or STDERR_FILENO
  Pipe pipe = {};                                             // curl writes to it
  bool holds_heads = false;                                   // of the answers alone: --dump-header
  std::string_view left_out = {};  // no line of the text that begins with this is written
  std::function<void(std::string_view)> hear = {};  // told the bytes as curl wrote them
};

// Keeps curl from following any redirect.
inline const std::vector<std::string> no_redirects = {"--max-redirs", "0"};

// A command line of curl that is safe to run.
struct GuardedCurl {
  std::vector<std::string> words;  // one for each of CurlArguments::arguments
  std::map<std::size_t, std::vector<std::string>>
      inserted;  // additional words before the word at this position
  std::vector<std::string> default_configuration;  // --config and a file, or nothing
  std::vector<Descriptor> files;                   // that the words name, for curl to inherit
  std::vector<CleanedOutput> outputs;
  struct Given {
    CurlArguments::Option option;
    bool is_configured = false;  // in a configuration, not on the command line
  };
  std::vector<Given> given;                  // all options
  std::vector<std::string> configured_urls;  // in configurations
  bool follows = false;                      // --location or its kind, in whatever place
  bool has_output_file = false;              // --output and its kind
  // The words that name CAs, or a configuration that does; 0 for the default configuration.
  std::vector<std::size_t> trust_named_at;
};

// Returns the command line with these changes. Each configuration and each --write-out @FILE is
// replaced by the content that was checked here; so is the default configuration, unless
// curl.arguments leave it out. They make curl follow no redirect unless curl.redirects allows it.
// Each --cacert gets an empty directory beside it in place of curl's built-in one. Each
// --dump-header and --cookie-jar is replaced by a pipe. Beside a service token each --header @FILE
// is replaced by the content that was checked here. Throws usage Error for URLs that may lead to a
// path of Access (curl_url.hpp), and, naming the option, for --trace, --trace-ascii, --libcurl,
// --ssl-sessions, unknown options, values that would begin another request, combinations that write
// headers into a file, and headers that would repeat the service token of the flags.
GuardedCurl guard_curl(const CurlArguments& curl);

}  // namespace mayfly::cli
