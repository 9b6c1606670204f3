// Keeps tokens out of what curl writes: refuses the options whose output cannot be cleaned, and
// leads the output of others through mayfly.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "access/system/descriptor.hpp"
#include "cli/curl/curl_arguments.hpp"

namespace mayfly::cli {

// An output of curl that mayfly cleans before it is written.
struct CleanedOutput {
  enum class As { text, cookie_jar } as = As::text;
  std::string path = {};  // where the cleaned bytes go; or
  int stream = -1;        // STDOUT_FILENO or STDERR_FILENO
  Pipe pipe = {};         // curl writes to it
};

// Returns a pipe that curl keeps open and writes nothing to: with it run_watched_curl() waits for a
// curl whose outputs need no cleaning.
CleanedOutput sign_of_life();

// Keeps curl from following any redirect.
inline const std::vector<std::string> no_redirects = {"--max-redirs", "0"};

// curl's command line, as it may be run.
struct GuardedCurl {
  std::vector<std::string> words;  // one for each of CurlArguments::arguments
  std::map<std::size_t, std::vector<std::string>> inserted;  // more words, before the word there
  std::vector<std::string> default_configuration;            // --config and a file, or nothing
  std::vector<Descriptor> files;  // that the words name, for curl to inherit
  std::vector<CleanedOutput> outputs;
  bool follows = false;          // --location or its kind, in whatever place
  bool has_output_file = false;  // --output and its kind
  // The words that name CAs, or a configuration that does; 0 for the default configuration.
  std::vector<std::size_t> trust_named_at;
};

// Returns the command line with each configuration and each --write-out @FILE replaced by the
// content that was judged here, beside each --cacert an empty directory in place of the one that
// curl was built with, and each --dump-header and --cookie-jar replaced by a pipe. The
// default configuration is read here, unless curl.arguments leave it out: curl must not read it
// again, and follows no redirect of it unless curl.redirects allows them. Throws usage Error for
// what may lead to a path of Access (curl_url.hpp), and, which names the option, for --trace,
// --trace-ascii, --libcurl, --ssl-sessions, options that are unknown here, values that would begin
// another request, and combinations that write headers into a file.
GuardedCurl guard_curl(const CurlArguments& curl);

}  // namespace mayfly::cli
