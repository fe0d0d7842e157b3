/* SPDX-License-Identifier: Apache-2.0 */
/* What is on the medium, and what a power cut leaves of the rest. */
#include "base/macros.h"
#include "support/fakes/simfs_impl.h"

void sim_op_done(struct sim_op *op)
{
    for (int i = 0; i < op->n; i++)
        free(op->changes[i].name);
    op->n = 0;
}

void sim_record(struct hf_simfs *fs, const struct sim_op *op)
{
    struct sim_op *kept;

    fs->pending = sim_alloc(fs->pending, (fs->n_pending + 1) * sizeof(*fs->pending));
    kept = &fs->pending[fs->n_pending++];
    *kept = *op;
    for (int i = 0; i < op->n; i++) {
        const struct sim_change *change = &op->changes[i];
        struct sim_node *old = sim_names_get(&change->dir->names, change->name);
        if (old != NULL) {
            old->links--;
            sim_count(old);
        }
        if (change->node != NULL) {
            change->node->links++;
            sim_count(change->node);
        }
        kept->changes[i].name = sim_strdup(change->name);
        sim_names_set(&change->dir->names, change->name, change->node);
        if (change->node != NULL && S_ISDIR(change->node->meta.mode))
            change->node->parent = change->dir;
        change->dir->changed_ns = ++fs->ticks;
    }
}

static bool share_a_name(const struct sim_op *a, const struct sim_op *b)
{
    for (int i = 0; i < a->n; i++) {
        for (int j = 0; j < b->n; j++) {
            if (a->changes[i].dir == b->changes[j].dir && strcmp(a->changes[i].name, b->changes[j].name) == 0)
                return true;
        }
    }
    return false;
}

/* `name` NULL: any name in the folder. */
static bool touches(const struct sim_op *op, const struct sim_node *dir, const char *name)
{
    for (int i = 0; i < op->n; i++) {
        if (op->changes[i].dir == dir && (name == NULL || strcmp(op->changes[i].name, name) == 0))
            return true;
    }
    return false;
}

/* Put the chosen steps on the medium, in order; the others stay pending. */
static void keep_chosen(struct hf_simfs *fs, const bool *chosen)
{
    size_t left = 0;

    for (size_t i = 0; i < fs->n_pending; i++) {
        struct sim_op *op = &fs->pending[i];
        if (!chosen[i]) {
            fs->pending[left++] = *op;
            continue;
        }
        for (int k = 0; k < op->n; k++)
            sim_names_set(&op->changes[k].dir->kept_names, op->changes[k].name, op->changes[k].node);
        sim_op_done(op);
    }
    fs->n_pending = left;
}

void sim_sync_names(struct hf_simfs *fs, struct sim_node *dir, const char *name)
{
    bool *chosen = sim_alloc(NULL, fs->n_pending * sizeof(*chosen));
    const struct sim_op **later = sim_alloc(NULL, fs->n_pending * sizeof(struct sim_op *));
    size_t n = 0;

    /* Backwards: what a chosen step builds on goes with it, also where that happened in another folder. */
    for (size_t i = fs->n_pending; i-- > 0;) {
        const struct sim_op *op = &fs->pending[i];
        chosen[i] = touches(op, dir, name);
        for (size_t k = 0; !chosen[i] && k < n; k++)
            chosen[i] = share_a_name(op, later[k]);
        if (chosen[i])
            later[n++] = op;
    }
    keep_chosen(fs, chosen);
    free(chosen);
    free(later);
}

static bool is_lost(const struct sim_node *node, size_t block)
{
    return block < node->lost.n && node->lost.p[block] != 0;
}

/* Gives lost blocks of `content` what the medium has of them. */
static void forget_lost(const struct sim_node *node, struct sim_blob *content)
{
    for (size_t at = 0; at < content->n; at += SIM_BLOCK) {
        size_t n = HF_MIN(content->n - at, (size_t)SIM_BLOCK), kept = node->kept.n - HF_MIN(node->kept.n, at);
        if (!is_lost(node, at / SIM_BLOCK))
            continue;
        memset(content->p + at, 0, n);
        if (kept > 0)
            memcpy(content->p + at, node->kept.p + at, HF_MIN(n, kept));
    }
}

/* The kernel reports a failed write of a page once, and then takes the page for clean: "PostgreSQL's fsync() surprise",
 * lwn.net/Articles/752063. Only another write to the page brings it to the medium. */
void sim_lose_content(struct sim_node *node)
{
    size_t blocks = (node->live.n + SIM_BLOCK - 1) / SIM_BLOCK;

    sim_blob_resize(&node->lost, blocks);
    for (size_t i = 0; i < blocks; i++) {
        size_t at = i * SIM_BLOCK, n = HF_MIN(node->live.n - at, (size_t)SIM_BLOCK);
        if (at + n > node->kept.n || memcmp(node->live.p + at, node->kept.p + at, n) != 0)
            node->lost.p[i] = 1;
    }
}

void sim_show_lost(struct sim_node *node)
{
    forget_lost(node, &node->live);
    sim_blob_resize(&node->lost, 0);
}

/* In place: a segment of a spool has megabytes, and is synced for each batch. */
static void keep_changed_blocks(struct sim_node *node)
{
    for (size_t at = 0; at < node->live.n; at += SIM_BLOCK) {
        size_t n = HF_MIN(node->live.n - at, (size_t)SIM_BLOCK);
        if (memcmp(node->live.p + at, node->kept.p + at, n) != 0)
            memcpy(node->kept.p + at, node->live.p + at, n);
    }
}

void sim_sync_content(struct sim_node *node)
{
    struct sim_blob content = {NULL, 0};

    if (node->synced)
        return;
    if (node->live.n == node->kept.n && node->lost.n == 0) {
        keep_changed_blocks(node);
    } else {
        sim_blob_set(&content, node->live.p, node->live.n);
        forget_lost(node, &content);
        free(node->kept.p);
        node->kept = content;
    }
    for (size_t i = 0; i < node->blocks.n; i++) {
        if (node->blocks.p[i] == SIM_WRITTEN)
            node->blocks.p[i] = SIM_SYNCED;
    }
    node->synced = node->lost.n == 0;
}

void sim_sync_without_journal(struct sim_node *node)
{
    size_t n = HF_MIN(node->live.n, node->kept.n);

    for (size_t i = 0; i < node->blocks.n && i * SIM_BLOCK < n; i++) {
        size_t at = i * SIM_BLOCK;
        if (node->blocks.p[i] == SIM_SYNCED)
            memcpy(node->kept.p + at, node->live.p + at, HF_MIN(n - at, (size_t)SIM_BLOCK));
    }
}

void sim_sync_meta(struct sim_node *node)
{
    sim_meta_copy(&node->kept_meta, &node->meta);
}

/* ---- the cut ------------------------------------------------------------------------------------------------------ */

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *state)
{
    uint64_t x = (*state += 0x9e3779b97f4a7c15ull);

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
    return bound == 0 ? 0 : draw(state) % bound;
}

static void cut_names(struct hf_simfs *fs, uint64_t *seed, bool all)
{
    bool *chosen = sim_alloc(NULL, fs->n_pending * sizeof(*chosen));
    uint64_t way = below(seed, 4), prefix = below(seed, fs->n_pending + 1);

    way = all ? 0 : way;

    for (size_t i = 0; i < fs->n_pending; i++) {
        chosen[i] = way == 1 || (way == 2 && i < prefix) || (way == 3 && below(seed, 2) == 1);
        for (size_t j = 0; chosen[i] && j < i; j++)
            chosen[i] = chosen[j] || !share_a_name(&fs->pending[i], &fs->pending[j]);
    }
    keep_chosen(fs, chosen);
    free(chosen);
    for (size_t i = 0; i < fs->n_pending; i++)
        sim_op_done(&fs->pending[i]);
    fs->n_pending = 0;
    for (struct sim_node *node = fs->nodes; node != NULL; node = node->next)
        sim_names_copy(&node->names, &node->kept_names);
    for (struct sim_node *node = fs->nodes; node != NULL; node = node->next) {
        for (size_t i = 0; i < node->names.n; i++) {
            if (S_ISDIR(node->names.p[i].node->meta.mode))
                node->names.p[i].node->parent = node;
        }
    }
}

static bool same_sector(const struct sim_blob *a, const struct sim_blob *b, size_t at, size_t n)
{
    return at + n <= a->n && at + n <= b->n && memcmp(a->p + at, b->p + at, n) == 0;
}

/* Any size between, each sector old, new or zero; one that nobody wrote to keeps what it has. */
static void tear(struct sim_node *node, uint64_t *seed)
{
    struct sim_blob torn = {NULL, 0};
    size_t least = HF_MIN(node->live.n, node->kept.n), most = HF_MAX(node->live.n, node->kept.n);

    sim_blob_resize(&torn, least + below(seed, most - least + 1));
    for (size_t at = 0; at < torn.n; at += SIM_SECTOR) {
        const struct sim_blob *from = below(seed, 2) == 0 ? &node->kept : &node->live;
        size_t n = HF_MIN(torn.n - at, (size_t)SIM_SECTOR);
        bool untouched = same_sector(&node->kept, &node->live, at, n);
        if ((below(seed, 8) != 0 || untouched) && at < from->n)
            memcpy(torn.p + at, from->p + at, HF_MIN(n, from->n - at));
    }
    free(node->live.p);
    node->live = torn;
}

static void cut_node(struct sim_node *node, uint64_t *seed, bool all)
{
    sim_show_lost(node);
    bool same = node->synced || (node->live.n == node->kept.n &&
                                 (node->live.n == 0 || memcmp(node->live.p, node->kept.p, node->live.n) == 0));
    uint64_t way = below(seed, 3);

    node->synced = same && node->synced;
    if (S_ISREG(node->meta.mode) && !same) {
        if (way == 0 || all)
            sim_blob_set(&node->live, node->kept.p, node->kept.n);
        else if (way == 1)
            tear(node, seed);
    }
    sim_sync_content(node);
    if (below(seed, 2) == 0 || all)
        sim_meta_copy(&node->meta, &node->kept_meta);
    else
        sim_meta_copy(&node->kept_meta, &node->meta);
}

static void reach(struct sim_node *node)
{
    if (node->reached)
        return;
    node->reached = true;
    for (size_t i = 0; i < node->names.n; i++)
        reach(node->names.p[i].node);
}

static void collect(struct hf_simfs *fs)
{
    for (struct sim_node *node = fs->nodes; node != NULL; node = node->next)
        node->reached = false;
    reach(fs->root);
    for (struct sim_node **place = &fs->nodes; *place != NULL;) {
        struct sim_node *node = *place;
        if (node->reached) {
            place = &node->next;
            continue;
        }
        *place = node->next;
        sim_node_free(node);
    }
}

static void count_links(struct hf_simfs *fs)
{
    for (struct sim_node *node = fs->nodes; node != NULL; node = node->next)
        node->links = 0;
    for (const struct sim_node *dir = fs->nodes; dir != NULL; dir = dir->next)
        for (size_t i = 0; i < dir->names.n; i++)
            dir->names.p[i].node->links++;
    for (struct sim_node *node = fs->nodes; node != NULL; node = node->next)
        sim_count(node);
}

void hf_simfs_kill(struct hf_simfs *fs)
{
    for (size_t i = 0; i < SIM_MAX_FDS; i++)
        fs->fds[i] = (struct sim_fd){NULL, 0, 0};
    for (struct sim_node *node = fs->nodes; node != NULL; node = node->next) {
        node->opened = 0;
        sim_count(node);
    }
    fs->stopped = fs->journal_lost = false;
    fs->stop_at = fs->lose_journal_at = 0;
    fs->fail_at = 0;
}

void hf_simfs_power_cut(struct hf_simfs *fs, uint64_t seed)
{
    uint64_t state = seed;

    hf_simfs_kill(fs);
    cut_names(fs, &state, seed == HF_SIMFS_LOSE_ALL);
    for (struct sim_node *node = fs->nodes; node != NULL; node = node->next)
        cut_node(node, &state, seed == HF_SIMFS_LOSE_ALL);
    collect(fs);
    count_links(fs);
    sim_check_used(fs);
}
