// HTTP requests and responses as plain values, free of any library.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace edge {

struct Field {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;
  std::string target;  // as sent
  std::string path;    // without the query
  std::string host;    // lower case, without port
  std::vector<Field> fields;
  std::map<std::string, std::string> query;
  std::string body;
  bool keep_alive = true;
  bool upgrade = false;  // asks for a WebSocket

  std::string header(std::string_view name) const;  // "" when absent
  std::string cookie(std::string_view name) const;
  std::string parameter(const std::string& name) const;
};

struct Response {
  int status = 200;
  std::vector<Field> fields;
  std::string body;

  std::string header(std::string_view name) const;
};

Response respond(int status, std::string content_type, std::string body);
Response respond_json(int status, std::string json);
Response redirect(std::string location);

// The bytes of a whole response; `head_only` leaves the body out but counts it.
enum class Body { sent, head_only };
enum class After { keep_alive, close };
std::string serialize(const Response& response, Body body, After after);
const char* reason_phrase(int status);

bool same_name(std::string_view a, std::string_view b);  // ignoring case
std::string lower(std::string_view text);
std::string escape(std::string_view text);  // for a URL's query
std::string unescape(std::string_view text);
std::map<std::string, std::string> parse_form(std::string_view text);
std::string escape_html(std::string_view text);

// Fills path, query and host from target and fields.
void complete(Request& request);

}  // namespace edge
