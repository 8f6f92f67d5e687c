// A vector kept as a heap: its front is the item that no other is less than. Events say that the later is less, so that
// the first to happen is in front.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

namespace orrery {

template <class Item>
void heap_push(std::vector<Item>& heap, Item item) {
  heap.push_back(std::move(item));
  std::push_heap(heap.begin(), heap.end());
}

template <class Item>
Item heap_pop(std::vector<Item>& heap) {
  std::pop_heap(heap.begin(), heap.end());
  Item item = std::move(heap.back());
  heap.pop_back();
  return item;
}

}  // namespace orrery
