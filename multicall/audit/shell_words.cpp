#include "multicall/audit/shell_words.hpp"

#include <algorithm>

#include "multicall/audit/prefixes.hpp"

namespace onelane::multicall::audit {
namespace {

/// How deep nested substitutions are followed.
constexpr int kDeepest = 16;

/// Keywords that may stand before a command.
constexpr std::string_view kKeywords = "if then else elif fi do done while until ! { }";

/// Reads one script from left to right. Inside `$(…)`, a `)` ends it.
class Reader {
 public:
  Reader(std::string_view text, int line, int depth, std::vector<Words>& out)
      : text_{text}, line_{line}, depth_{depth}, out_{out} {}

  /// Reads to the end, or past the `)` that closes a substitution; returns where it stopped.
  std::size_t read(bool is_substitution) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_substitution && c == ')' && open_ == 0) {
        finish();
        return at_ + 1;
      }
      step(c);
    }
    finish();
    return at_;
  }
  [[nodiscard]] int line() const noexcept { return line_; }

 private:
  void step(char c) {
    if (c == '\n') {
      finish();
      ++at_;
      ++line_;
      skip_documents();
    } else if (c == '#' && !in_word_) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == ' ' || c == '\t' || c == '\r') {
      end_word();
      ++at_;
    } else if (c == ';' || c == '&' || c == '|') {
      separator();
    } else if (c == '(' || c == ')') {
      parenthesis(c);
    } else if (c == '<' || c == '>') {
      redirection();
    } else {
      word_part(c);
    }
  }

  void separator() {
    finish();
    const std::string_view rest = text_.substr(at_);
    const bool joins = rest.starts_with("&&") || rest.starts_with("||") || rest.starts_with("|&");
    at_ += joins ? 2 : 1;
  }

  void parenthesis(char c) {
    const bool defines = c == '(' && at_ + 1 < text_.size() && text_[at_ + 1] == ')';
    if (defines) {  // name() { … }
      in_word_ = false;
      word_.clear();
      current_.words.clear();
      at_ += 2;
      return;
    }
    finish();
    open_ += c == '(' ? 1 : open_ > 0 ? -1 : 0;
    ++at_;
  }

  /// `>file`, `2>&1`, `<<EOF`, `<<<text`, `<(command)`: their words are not arguments.
  void redirection() {
    if (in_word_ && word_.find_first_not_of("0123456789") == std::string::npos) {
      in_word_ = false;  // 2>
      word_.clear();
    }
    end_word();
    const std::size_t begin = at_;
    while (at_ < text_.size() && (text_[at_] == '<' || text_[at_] == '>')) {
      ++at_;
    }
    const std::string_view sign = text_.substr(begin, at_ - begin);
    if (at_ < text_.size() && text_[at_] == '(') {
      at_ = nested(at_ + 1);
      return;
    }
    const bool strips = sign == "<<" && at_ < text_.size() && text_[at_] == '-';
    if (strips || (at_ < text_.size() && (text_[at_] == '&' || text_[at_] == '|'))) {
      ++at_;
    }
    skip_next_ = true;
    document_next_ = sign == "<<";
  }

  void word_part(char c) {
    if (!in_word_) {
      in_word_ = true;
      if (current_.words.empty()) {
        current_.line = line_;
      }
    }
    if (c == '\\') {
      escape();
    } else if (c == '\'') {
      const std::size_t end = std::min(text_.find('\'', at_ + 1), text_.size());
      take(text_.substr(at_ + 1, end - at_ - 1));
      at_ = std::min(end + 1, text_.size());
    } else if (c == '"') {
      ++at_;
      double_quoted();
    } else {
      plain(c);
    }
  }

  void take(std::string_view part) {
    word_ += part;
    line_ += static_cast<int>(std::ranges::count(part, '\n'));
  }

  void escape() {
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (next == '\n') {
      ++line_;
      in_word_ = !word_.empty();  // a `\` at the end of a line joins it with the next one
    } else if (next != '\0') {
      word_ += next;
    }
    at_ = std::min(at_ + 2, text_.size());
  }

  void double_quoted() {
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        escape();
        in_word_ = true;
      } else {
        plain(text_[at_]);
      }
    }
    at_ = std::min(at_ + 1, text_.size());
  }

  /// Reads one character, or a whole substitution.
  void plain(char c) {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("$((")) {
      const std::size_t end = text_.find("))", at_);
      take(text_.substr(at_, end == std::string_view::npos ? end : end + 2 - at_));
      at_ = end == std::string_view::npos ? text_.size() : end + 2;
    } else if (rest.starts_with("$(")) {
      word_ += "$()";
      at_ = nested(at_ + 2);
    } else if (rest.starts_with("${")) {
      const std::size_t end = std::min(text_.find('}', at_), text_.size() - 1);
      take(text_.substr(at_, end + 1 - at_));
      at_ = end + 1;
    } else if (c == '`') {
      const std::size_t end = std::min(text_.find('`', at_ + 1), text_.size());
      word_ += "$()";
      nested_text(text_.substr(at_ + 1, end - at_ - 1));
      at_ = std::min(end + 1, text_.size());
    } else {
      take(text_.substr(at_, 1));
      ++at_;
    }
  }

  void nested_text(std::string_view inside) {
    if (depth_ < kDeepest) {
      (void)Reader{inside, line_, depth_ + 1, out_}.read(false);
    }
    line_ += static_cast<int>(std::ranges::count(inside, '\n'));
  }

  /// Reads the substitution that starts at `from`; returns where it ends.
  std::size_t nested(std::size_t from) {
    if (depth_ >= kDeepest) {
      return text_.size();
    }
    Reader inner{text_.substr(from), line_, depth_ + 1, out_};
    const std::size_t length = inner.read(true);
    line_ = inner.line();
    return from + length;
  }

  void end_word() {
    if (!in_word_) {
      return;
    }
    in_word_ = false;
    if (document_next_) {
      documents_.push_back(word_);
    } else if (!skip_next_ && !(current_.words.empty() && is_in(word_, kKeywords))) {
      current_.words.push_back(std::move(word_));
    }
    word_.clear();
    skip_next_ = document_next_ = false;
  }

  void finish() {
    end_word();
    skip_next_ = document_next_ = false;
    if (!current_.words.empty()) {
      out_.push_back(std::move(current_));
    }
    current_ = {};
  }

  /// Skips the lines of here-documents, with their delimiters.
  void skip_documents() {
    for (const std::string& end : documents_) {
      while (at_ < text_.size()) {
        const std::size_t stop = std::min(text_.find('\n', at_), text_.size());
        std::string_view line = text_.substr(at_, stop - at_);
        at_ = std::min(stop + 1, text_.size());
        ++line_;
        line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
        if (line == end) {
          break;
        }
      }
    }
    documents_.clear();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_;
  int depth_;
  int open_ = 0;
  std::vector<Words>& out_;
  Words current_;
  std::string word_;
  bool in_word_ = false;
  bool skip_next_ = false;
  bool document_next_ = false;
  std::vector<std::string> documents_;
};

}  // namespace

std::vector<Words> commands_in(std::string_view script, int line) {
  std::vector<Words> out;
  (void)Reader{script, line, 0, out}.read(false);
  std::ranges::stable_sort(out, {}, &Words::line);
  return out;
}

}  // namespace onelane::multicall::audit
