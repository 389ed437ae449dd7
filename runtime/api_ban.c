/* SPDX-License-Identifier: Apache-2.0 */
/* The tuning database as the public functions use it: bans hold for one text of a kernel. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/hash.h"

/* What stands for the text of a row's kernel file. */
static status source_mark(const kernel_def *row, char mark[HASH_TEXT])
{
    char  *text;
    hasher h;
    TRY(kernel_source(row->file, &text));
    hash_begin(&h);
    hash_text(&h, text);
    free(text);
    const hash128 sum = hash_end(&h);
    hash_hex(&sum, mark);
    mark[16] = 0;
    return SEPCL_OK;
}

/* A kernel that was changed has to be found wrong again. */
static void drop_old_bans(tune_db *db)
{
    for (int i = tune_count(db) - 1; i >= 0 && tune_get(db, i)->kind == TUNE_BAN; i--) {
        const tune_entry *e = tune_get(db, i);
        const op_def     *op;
        const kernel_def *row;
        char              mark[HASH_TEXT];
        if (tune_ban_row(e->key, &op, &row) && source_mark(row, mark) == SEPCL_OK && !strcmp(mark, e->choice))
            continue;
        log_info("tuning: the ban of \"%s\" is of another kernel text; it does not count", e->key);
        tune_forget(db, TUNE_BAN, e->key);
    }
}

status api_tuning(const caps *c, const char *cache_dir, bool no_cache, tune_db **out)
{
    *out = NULL;
    char *folder = no_cache ? NULL : cache_folder(cache_dir, "tuning");
    if (!folder)
        return SEPCL_OK;
    const status st = tune_open(folder, c, out);
    free(folder);
    if (st == SEPCL_OK)
        drop_old_bans(*out);
    return st;
}

status api_ban(tune_db *db, const tune_ban_desc *d)
{
    char          mark[HASH_TEXT];
    tune_ban_desc copy = *d;
    TRY(source_mark(d->row, mark));
    copy.source = mark;
    log_warn("%s/%s is wrong on this device and is not used from now on: %s", d->row->file, d->row->entry, d->reason);
    return tune_ban(db, &copy);
}
