#include <string>
#include <utility>
#include <vector>

#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

using shims::Class;

TEST(NpmPolicyTest, OptionsMayStandAnywhere) {
  for (const std::string option : {"--prefix test",
                                   "--prefix=x",
                                   "-C test",
                                   "-w test",
                                   "--workspace test",
                                   "--workspace=x",
                                   "--loglevel silent",
                                   "--registry test",
                                   "--cache test",
                                   "--userconfig test",
                                   "-ws",
                                   "-s",
                                   "-q",
                                   "-d",
                                   "--silent",
                                   "--if-present",
                                   "--no-audit",
                                   "--audit false",
                                   "--audit=false",
                                   "--no-fund",
                                   "--global",
                                   "-g",
                                   "--omit dev",
                                   "--omit=dev",
                                   "-dd",
                                   "-L user",
                                   "--script-shell bash",
                                   "--node-options '--max-old-space-size=4096'",
                                   "-gf"}) {
    expect_all("npm", Class::Lane, {},
               {option + " install", "install " + option + " x", option + " run build",
                "run " + option + " build"});
    expect_all("npm", Class::Pass, {}, {option + " ls", "ls " + option});
    expect_all("npm", Class::Service, {},
               {option + " run dev", "run " + option + " dev", "run dev " + option});
  }
}

TEST(NpmPolicyTest, TargetIsThePrefix) {
  const auto directories = [](std::string_view text) {
    const Line line{text};
    return shims::find_shim("npm")->target(line.args()).directories;
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(directories("--prefix web run dev"), List{"web"});
  EXPECT_EQ(directories("run dev --prefix=web"), List{"web"});
  EXPECT_EQ(directories("-C web i"), List{"web"});
  EXPECT_EQ(directories("-C=web i"), List{"web"});
  EXPECT_EQ(directories("-C a --prefix b i"), List{"b"});
  EXPECT_EQ(directories("run dev -- -C web"), List{});
  EXPECT_EQ(directories("install"), List{});
}

TEST(NpmPolicyTest, ServicesAreKnownByName) {
  expect_all("npm", Class::Service, {},
             {"start",
              "run dev",
              "run serve",
              "run start",
              "run watch",
              "run preview",
              "run storybook",
              "run css:watch",
              "run web:dev",
              "run dev:web",
              "run watch:css",
              "run start:api",
              "rum dev",
              "run-script serve",
              "exec vite",
              "x next dev",
              "exec -- nodemon x.js",
              "exec webpack serve",
              "x tsx watch x.ts",
              "exec -c 'tsc -w'"});
  expect_all("npm", Class::Lane, {},
             {"run build", "run develop", "run devtools", "run rewatch", "run start-db",
              "exec vite build", "x next build", "exec tsx x.ts", "run test", "test"});
}

TEST(NpmPolicyTest, ServicesAreKnownByTextWhenSomeoneIsThere) {
  const std::vector<std::string> watchers{"vite",
                                          "vite dev",
                                          "vite --port 3000",
                                          "vite preview",
                                          "next dev",
                                          "next dev --turbo",
                                          "nodemon x.js",
                                          "tsx watch x.ts",
                                          "webpack serve",
                                          "webpack --watch",
                                          "vitest",
                                          "vitest watch",
                                          "tsc -w",
                                          "tsc --watch",
                                          "tsc -p . -w",
                                          "node --watch x.js",
                                          "jest --watch",
                                          "jest --watchAll",
                                          "concurrently 'tsc -w' 'vite'",
                                          "concurrently \"npm:watch-*\"",
                                          "concurrently 'npm:inner' 'npm:lint'",
                                          "npm-run-all --parallel inner lint",
                                          "run-p inner",
                                          "NODE_ENV=dev vite",
                                          "cross-env NODE_ENV=dev vite",
                                          "npx vite",
                                          "npm exec vite",
                                          "yarn inner",
                                          "npm run inner",
                                          "npm run lint && vite",
                                          "rm -rf x; nodemon",
                                          "./node_modules/.bin/vite",
                                          "vite & nodemon",
                                          "react-scripts start",
                                          "ng serve",
                                          "tailwindcss -i a -o b --watch",
                                          "storybook dev -p 6006",
                                          "rollup -c -w",
                                          "http-server dist",
                                          "(cd web && vite)"};
  const std::vector<std::string> others{"vite build",
                                        "next build",
                                        "tsc",
                                        "tsc -p .",
                                        "jest",
                                        "vitest run",
                                        "vitest --run",
                                        "node x.js",
                                        "webpack",
                                        "echo vite",
                                        "eslint --fix",
                                        "vite --version",
                                        "vite build && tsc",
                                        "nodemon & jest",
                                        "",
                                        "   ",
                                        "&&",
                                        "npm run lint",
                                        "npm run missing",
                                        "npm run loop",
                                        "npx tsc",
                                        "concurrently 'tsc' 'eslint .'",
                                        "jest --watch=false",
                                        "rimraf watch",
                                        "'unclosed vite",
                                        "vitest list",
                                        "cypress run --watcher"};
  for (const auto& [texts, cls] :
       {std::pair{watchers, Class::Service}, std::pair{others, Class::Lane}}) {
    for (const std::string& text : texts) {
      MapFacts facts = at_terminal();
      facts.scripts = {{"go", text},
                       {"test", text},
                       {"inner", "vite"},
                       {"lint", "eslint ."},
                       {"loop", "npm run loop"}};
      EXPECT_EQ(decide("npm", "run go", facts).cls, cls) << text;
      EXPECT_EQ(decide("npm", "test", facts).cls, cls) << text;
      facts.terminal = false;
      EXPECT_EQ(decide("npm", "run go", facts).cls, Class::Lane) << "no terminal: " << text;
      EXPECT_EQ(decide("npm", "t", facts).cls, Class::Lane) << "no terminal: " << text;
    }
  }
}

TEST(NpmPolicyTest, VitestInAScriptFollowsItsWatchRule) {
  MapFacts facts = at_terminal();
  facts.scripts = {{"test", "vitest"}};
  EXPECT_EQ(decide("npm", "test", facts).cls, Class::Service);
  facts.variables = {{"CI", "1"}};
  EXPECT_EQ(decide("npm", "test", facts).cls, Class::Lane);
  facts.variables = {{"CLAUDECODE", "1"}};
  EXPECT_EQ(decide("npm", "test", facts).cls, Class::Lane);
}

TEST(NpmPolicyTest, QuestionsAreEditorsOnlyWhereSomeoneIsThere) {
  expect_all("npm", Class::Editor, at_terminal(),
             {"init", "create vite", "innit", "config edit", "edit x"});
  expect_all("npm", Class::Lane, at_terminal(), {"init -y", "init --yes"});
  expect_all("npm", Class::Lane, {}, {"init", "config edit"});
}

TEST(NpmPolicyTest, PublishingWaitsWhenAScriptWillRun) {
  MapFacts facts;
  facts.scripts = {{"prepublishOnly", "make test"}};
  expect_all("npm", Class::Lane, facts, {"publish", "publish --tag next"});
}

TEST(NpmPolicyTest, ScriptsPassBelowAServiceButBuildsDoNot) {
  for (const std::string line : {"run lint", "run css", "rum x", "exec eslint", "stop"}) {
    EXPECT_TRUE(decide("npm", line).passes_below_service) << line;
  }
  for (const std::string line : {"run build", "run build:css", "run test", "run test:unit", "test",
                                 "t", "ci", "install", "i", "it", "update", "version patch"}) {
    EXPECT_FALSE(decide("npm", line).passes_below_service) << line;
  }
}

TEST(NpmPolicyTest, VersionWritesTheIndex) {
  EXPECT_TRUE(decide("npm", "version patch").writes_index);
  EXPECT_FALSE(decide("npm", "install").writes_index);
}

}  // namespace
}  // namespace onelane::test
