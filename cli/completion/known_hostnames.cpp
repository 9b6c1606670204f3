#include "cli/completion/known_hostnames.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "access/core/text.hpp"

namespace mayfly::cli {
namespace {

constexpr std::size_t longest_file_name = 255;

// A host, and a path of characters that mean nothing to any shell; its file_name() can be made.
bool is_offerable(std::string_view hostname) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/";
  const auto host = hostname.substr(0, hostname.find('/'));
  return is_host_name(host) && hostname.size() <= longest_file_name &&
         hostname.find_first_not_of(plain) == std::string_view::npos;
}

}  // namespace

std::vector<std::string> known_hostnames(const Inventory& inventory,
                                         const std::vector<std::string>& places_with_keys,
                                         const std::vector<std::string>& configured) {
  std::set<std::string> names, places;
  std::copy_if(configured.begin(), configured.end(), std::inserter(names, names.end()),
               is_offerable);
  for (const std::string& host : names) places.insert(file_name(host));
  for (const RememberedApplication& known : inventory.applications) {
    names.insert(known.host);
    names.insert(known.application.hostname);
    places.insert(known.place);
    places.insert(file_name(known.application.hostname));
  }
  // What a file name alone tells may be host or host and path: a host that is known explains it.
  const auto add_place = [&](const std::string& place) {
    const bool is_explained =
        places.contains(place) || std::any_of(names.begin(), names.end(), [&](const auto& host) {
          return place.starts_with(host + "-");
        });
    if (!is_explained) names.insert(place);
  };
  for (const TokenFile& token : inventory.tokens)
    if (token.kind == TokenFile::Kind::application) add_place(token.place);
  for (const std::string& place : places_with_keys) add_place(place);

  std::vector<std::string> offered;
  std::copy_if(names.begin(), names.end(), std::back_inserter(offered), is_offerable);
  return offered;
}

}  // namespace mayfly::cli
