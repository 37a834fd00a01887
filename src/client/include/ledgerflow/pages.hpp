// Long results as ranges that fetch page after page.
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ledgerflow::client {

/// A piece of a long result, and where the next one begins.
template <typename Item>
struct Page {
  std::vector<Item> items;          ///< in order
  std::optional<std::string> next;  ///< the cursor of the next page; nothing: this is the last
};

/// A range over all items of all pages, for one pass: `for (const auto& item : pages)`. It asks for a
/// page when the one before is used up; so it must not outlive the client that it came from, and
/// throws what that client's calls throw.
template <typename Item>
class Pages {
 public:
  /// Gets the page at a cursor; the first one when there is none.
  using Fetch = std::function<Page<Item>(const std::optional<std::string>& cursor)>;

  /// A range whose pages come from `fetch`. Nothing is fetched before begin().
  explicit Pages(Fetch fetch) : fetch_(std::move(fetch)) {}
  Pages(Pages&&) noexcept = default;             ///< Moves; iterators stay with the old object.
  Pages& operator=(Pages&&) noexcept = default;  ///< Moves; iterators stay with the old object.
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  /// An input iterator: all copies of it walk together.
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;  ///< single pass
    using value_type = Item;                            ///< what it points to
    using difference_type = std::ptrdiff_t;             ///< as iterators have it
    using pointer = const Item*;                        ///< valid until the next step
    using reference = const Item&;                      ///< valid until the next step

    iterator() = default;                                                     ///< The end.
    reference operator*() const { return pages_->page_.items[pages_->at_]; }  ///< The item here.
    pointer operator->() const { return &**this; }                            ///< The item here.
    /// On to the next item.
    iterator& operator++() {
      ++pages_->at_;
      settle();
      return *this;
    }
    void operator++(int) { ++*this; }  ///< On to the next item.
    /// Both at the end, or both not.
    friend bool operator==(const iterator& a, const iterator& b) { return a.pages_ == b.pages_; }
    /// One at the end, the other not.
    friend bool operator!=(const iterator& a, const iterator& b) { return !(a == b); }

   private:
    friend class Pages;
    explicit iterator(Pages* pages) : pages_(pages) { settle(); }
    // A page may be empty though there is a next one.
    void settle() {
      while (pages_ != nullptr && pages_->at_ == pages_->page_.items.size())
        if (!pages_->fetch_next()) pages_ = nullptr;
    }
    Pages* pages_ = nullptr;
  };

  /// The first item; fetches the first page. A second call goes on where the first one stands.
  iterator begin() { return iterator(this); }
  /// Behind the last item.
  iterator end() { return {}; }

 private:
  bool fetch_next() {
    if (started_ && !page_.next) return false;
    const std::optional<std::string> cursor = started_ ? page_.next : std::nullopt;
    page_ = fetch_(cursor);
    started_ = true;
    at_ = 0;
    return true;
  }

  Fetch fetch_;
  Page<Item> page_;
  std::size_t at_ = 0;
  bool started_ = false;
};

}  // namespace ledgerflow::client
