/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offsets for pieces of memory with known lifetimes: "greedy by size for offset calculation" of Pisarchyk and Lee,
 * Efficient Memory Management for Deep Neural Net Inference (2020). Largest first; each piece takes the tightest gap
 * among the pieces already placed whose lifetimes overlap its own.
 */
#include <stdlib.h>

#include "base/size.h"
#include "plan/plan.h"

typedef struct entry {
    memory_record *r;
    size_t         size; /* rounded up */
    int            index;
} entry;

static int larger_first(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->index - y->index;
}

/* The tightest gap for entry e among those placed, which are sorted by offset. */
static bool place(entry *e, entry *const *placed, int n, size_t *end_out)
{
    size_t best = SIZE_MAX, best_gap = SIZE_MAX, end = 0;
    for (int i = 0; i < n; i++) {
        const entry *p = placed[i];
        if (p->r->last < e->r->first || p->r->first > e->r->last)
            continue;
        if (p->r->offset > end && p->r->offset - end >= e->size && p->r->offset - end < best_gap) {
            best = end;
            best_gap = p->r->offset - end;
        }
        if (p->r->offset + p->size > end)
            end = p->r->offset + p->size;
    }
    e->r->offset = best == SIZE_MAX ? end : best;
    return size_add(e->r->offset, e->size, end_out);
}

status memory_plan(memory_record *records, int n, size_t align, size_t *total_out)
{
    status  st = SEPCL_OUT_OF_MEMORY;
    size_t  total = 0;
    entry  *entries = calloc((size_t)n + 1, sizeof *entries);
    entry **placed = calloc((size_t)n + 1, sizeof *placed);
    if (!entries || !placed) {
        fail_memory((size_t)n * sizeof *entries, "the memory plan");
        goto done;
    }
    for (int i = 0; i < n; i++) {
        size_t padded;
        if (!size_add(records[i].bytes, align - 1, &padded)) {
            fail(SEPCL_OUT_OF_MEMORY, "a tensor of %zu bytes is beyond the address space", records[i].bytes);
            goto done;
        }
        entries[i] = (entry){&records[i], padded / align * align, i};
    }
    qsort(entries, (size_t)n, sizeof *entries, larger_first);
    for (int i = 0; i < n; i++) {
        size_t end;
        if (!place(&entries[i], placed, i, &end)) {
            fail(SEPCL_OUT_OF_MEMORY, "the activations are beyond the address space");
            goto done;
        }
        total = end > total ? end : total;
        int at = i;
        while (at > 0 && placed[at - 1]->r->offset > entries[i].r->offset) {
            placed[at] = placed[at - 1];
            at--;
        }
        placed[at] = &entries[i];
    }
    *total_out = total;
    st = SEPCL_OK;
done:
    free(entries);
    free(placed);
    return st;
}
