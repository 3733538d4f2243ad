#include "tests/integration/lane_scene.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace onelane::test {

namespace fs = std::filesystem;

std::string onelane_of(const Sandbox& sandbox) {
  return fs::canonical(sandbox.shims() + "/make");
}

std::string variable_of(const Sandbox& sandbox, const std::string& name) {
  for (const std::string& entry : sandbox.environment()) {
    if (entry.starts_with(name + "=")) {
      return entry.substr(name.size() + 1);
    }
  }
  return {};
}

std::vector<std::string> scrubbed(const Sandbox& sandbox, const std::vector<std::string>& words) {
  std::vector<std::string> out{"env", "-i", "PATH=" + variable_of(sandbox, "PATH")};
  out.insert(out.end(), words.begin(), words.end());
  return out;
}

nlohmann::json status_of(Sandbox& sandbox, const std::string& directory) {
  Start options;
  options.directory = directory;
  const Ended ended = sandbox.run({onelane_of(sandbox), "status", "--json"}, options);
  if (!ended.exited_with(0)) {
    throw std::runtime_error{"onelane status: " + ended.err};
  }
  return nlohmann::json::parse(ended.out);
}

bool comes_to_queue(Sandbox& sandbox, std::size_t count, const std::string& directory) {
  return eventually([&] { return status_of(sandbox, directory)["queue"].size() == count; });
}

std::string contents_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

bool comes_to_contain(const std::string& path, const std::string& text) {
  return eventually([&] { return contents_of(path).find(text) != std::string::npos; });
}

std::string make_project(Sandbox& sandbox, const std::string& name) {
  const std::string path = sandbox.root() + "/" + name;
  if (!sandbox.run({"/usr/bin/git", "init", "--quiet", path}).exited_with(0)) {
    throw std::runtime_error{"git init failed in " + path};
  }
  fs::create_directory(path + "/.git/onelane");
  return path;
}

namespace {

Running start_holder(Sandbox& sandbox, const std::string& name, const std::string& directory,
                     const Gate& gate) {
  Start options;
  options.directory = directory;
  return sandbox.start(
      {"pytest", "trace", name + " in", "hold-until", gate.path(), "trace", name + " out"},
      options);
}

}  // namespace

Holder::Holder(Sandbox& sandbox, const std::string& name, const std::string& directory)
    : gate_{sandbox, name}, running_{start_holder(sandbox, name, directory, gate_)} {
  sandbox.wait_for(name + " in");
}

Ended Holder::release() {
  gate_.open();
  return running_.wait();
}

}  // namespace onelane::test
