/* SPDX-License-Identifier: Apache-2.0 */
/* Order of effects for a line: share of its owner, place in `appends`, append to the spool, and, when the spool
 * calls on_durable() in the same order, the owner's bytes as stored and the release of the receipt. Opening goes
 * from the folder to the borders to the spool, because the highest border tells the spool which sequences have left
 * the node; borders of another stream belong to other records and are dropped.
 *
 * The file of shares is not synced: records whose owner a power cut takes from it have none then.
 *
 * The link: a batch may be sent if it begins at hf_outlet_lane_from() or above. While the link is closed, live
 * records use their share. If the spool is full, or the table of batches has no place left, the oldest records use
 * this share instead, because delivered records behind an older one free nothing until that one has left.
 *
 * Room: when the spool refuses records, the lane is full until segments have gone, and tries again after a while,
 * because another program may free space on the disk without any sign. */
#include "telemetry/sink/outlet_lane.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/encoding/hex.h"
#include "config/config.h"
#include "os/dir.h"
#include "os/disk.h"
#include "os/file.h"

#define URGENT_WAIT_NS HF_NS_PER_S /* for a batch of the urgent lane to fill */
#define RETRY_FULL_NS (5 * HF_NS_PER_S)
#define FULL_NS (60 * HF_NS_PER_S)
#define INLINE_BELOW_NS (300 * HF_NS_PER_US) /* faster writes run on the loop */
#define LOOK_NS (10 * HF_NS_PER_S)           /* between two looks at the free space of the disk */

enum { KEEP_APPENDS = 1024 };

/* A line on its way to disk. */
struct lane_append {
    struct hf_receipt *receipt;
    unsigned slot, bytes;
};

/* ---- shares ------------------------------------------------------------------------------------------------------ */

static const char *shares_path(const struct hf_outlet_lane *lane, const char *ending, char path[HF_OUTLET_PATH + 16])
{
    (void)snprintf(path, HF_OUTLET_PATH + 16, "%s/%s/shares%s", lane->config->dir,
                   hf_outlet_config_lane_name(lane->which), ending);
    return path;
}

static void stream_of(const struct hf_outlet_lane *lane, unsigned char stream[static HF_SHARES_STREAM])
{
    if (hf_hex_decode(hf_spool_stream(lane->spool), stream, HF_SHARES_STREAM) < 0)
        memset(stream, 0, HF_SHARES_STREAM);
}

/* Not synced: records that it does not name after a power cut have no owner. */
void hf_outlet_lane_save_shares(struct hf_outlet_lane *lane)
{
    const struct hf_fs_ops *fs = lane->config->env.fs;
    char path[HF_OUTLET_PATH + 16], temporary[HF_OUTLET_PATH + 16];
    unsigned char stream[HF_SHARES_STREAM], text[HF_SHARES_TEXT];
    int fd = fs->openat(fs->ctx, AT_FDCWD, shares_path(lane, ".new", temporary), O_WRONLY | O_CREAT | O_TRUNC, 0600,
                        HF_FS_ANY);

    if (fd < 0)
        return;
    stream_of(lane, stream);
    hf_shares_format(&lane->shares, stream, text);
    int r = hf_file_write_all(fs, fd, text, sizeof(text), 0);
    (void)fs->close(fs->ctx, fd);
    if (r == 0)
        (void)fs->renameat(fs->ctx, AT_FDCWD, temporary, AT_FDCWD, shares_path(lane, "", path));
}

static void restore_shares(struct hf_outlet_lane *lane)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_SHARES_TEXT);
    const struct hf_spool_stats stats = hf_spool_state(lane->spool).store;
    unsigned char stream[HF_SHARES_STREAM];
    char path[HF_OUTLET_PATH + 16];

    hf_shares_init(&lane->shares, lane->max_bytes - hf_spool_segment_bytes(lane->max_bytes),
                   lane->config->spec->when_full == HF_WHEN_FULL_DROP_OLDEST);
    stream_of(lane, stream);
    (void)!hf_file_read(lane->config->env.fs, shares_path(lane, "", path), &text, NULL);
    hf_shares_restore(&lane->shares, stream, hf_buf_view(&text), stats.delivered, stats.last, stats.waiting);
}

/* No owner gets a share of what the disk has no room for. A segment more is taken than its records need. */
static void look_at_disk(struct hf_outlet_lane *lane)
{
    const struct hf_outlet_config *config = lane->config;
    uint64_t now_ns = hf_mono_ns(config->env.clock), room = lane->max_bytes;
    struct hf_disk disk;

    if (now_ns < lane->look_at_ns)
        return;
    lane->look_at_ns = now_ns + LOOK_NS;
    if (hf_disk_read(config->env.fs, config->dir, &disk, NULL) == 0)
        room = hf_spool_state(lane->spool).store.bytes + disk.available_bytes -
               HF_MIN(disk.available_bytes, lane->reserve_bytes);
    lane->shares.capacity = HF_MIN(lane->max_bytes, room);
    lane->shares.capacity -= HF_MIN(lane->shares.capacity, hf_spool_segment_bytes(lane->max_bytes));
}

bool hf_outlet_lane_allows(struct hf_outlet_lane *lane, uint64_t owner, size_t n)
{
    look_at_disk(lane);
    return hf_spool_record_bytes(n) <= hf_shares_left(&lane->shares, hf_shares_slot(&lane->shares, owner));
}

/* A record that begins a write begins a sector. */
static void note_durable(struct hf_outlet_lane *lane, const struct lane_append *append, uint64_t sequence)
{
    uint64_t writes = hf_spool_state(lane->spool).batches;
    uint64_t bytes = append->bytes + (writes != lane->writes_before ? HF_SPOOL_SECTOR - 1 : 0);

    lane->writes_before = writes;
    if (hf_shares_stored(&lane->shares, append->slot, bytes, sequence))
        hf_outlet_lane_save_shares(lane);
}

/* ---- callbacks of the spool -------------------------------------------------------------------------------------- */

static void on_readable(void *arg)
{
    struct hf_outlet_lane *lane = arg;
    struct hf_spool_state state = hf_spool_state(lane->spool);

    lane->refused_before = state.refused_full; /* records reached the disk, so there is room */
    hf_metric_observe(lane->metrics->lanes[lane->which].sync, (double)state.last_write_ns / 1e9);
    hf_outlet_config_pump(lane->config);
}

static void on_dropped(void *arg, const struct hf_spool_dropped *dropped)
{
    struct hf_outlet_lane *lane = arg;

    hf_outlet_drops_add(lane->drops, lane->config, lane->metrics, dropped);
    hf_shares_gone(&lane->shares, hf_spool_state(lane->spool).store.delivered);
    hf_outlet_config_pump(lane->config);
}

static void on_failing(void *arg, const struct hf_err *err)
{
    const struct hf_outlet_lane *lane = arg;
    const char *sink = hf_outlet_name(lane->config->sink);

    if (err != NULL)
        hf_log_err(lane->config->env.log, HF_LOG_ERROR, "telemetry.spool_failing", "sink", sink, err);
    else
        hf_log(lane->config->env.log, HF_LOG_INFO, "telemetry.spool_recovered", HF_S("sink", sink));
}

/* The spool calls this once for each line, in the order in which they were appended. */
static void on_durable(void *arg, int r, uint64_t sequence)
{
    struct hf_outlet_lane *lane = arg;
    struct lane_append append = lane->appends[lane->first_append++];

    hf_shares_end(&lane->shares, append.slot, append.bytes);
    if (r == 0)
        note_durable(lane, &append, sequence);
    if (lane->first_append == lane->n_appends)
        lane->first_append = lane->n_appends = 0;
    if (lane->n_appends == 0 && lane->cap_appends > KEEP_APPENDS) {
        free(hf_steal(lane->appends));
        lane->cap_appends = 0;
    }
    hf_receipt_release(append.receipt, r);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Bytes that the spool must leave free on the disk of its folder. */
static uint64_t reserve_of(const struct hf_outlet_config *config, const char *dir)
{
    struct hf_disk disk;

    return hf_disk_read(config->env.fs, dir, &disk, NULL) < 0
               ? 0
               : hf_config_disk_reserve_bytes(config->env.config, disk.total_bytes);
}

static int open_spool(struct hf_outlet_lane *lane, const char *dir, uint64_t used, struct hf_err *err)
{
    const struct hf_outlet_config *config = lane->config;
    bool drop_oldest = config->spec->when_full == HF_WHEN_FULL_DROP_OLDEST;
    const struct hf_spool_params params = {.store = {.fs = config->env.fs,
                                                     .rng = config->env.rand,
                                                     .dir = dir,
                                                     .max_bytes = lane->max_bytes,
                                                     .reserve_bytes = lane->reserve_bytes,
                                                     .when_full = drop_oldest ? HF_SPOOL_DROP_OLDEST : HF_SPOOL_BLOCK,
                                                     .used = used,
                                                     .refuse_unreadable = config->refuse_unreadable},
                                           .clock = config->env.clock,
                                           .sched = config->env.sched,
                                           .inline_below_ns = INLINE_BELOW_NS,
                                           .readable = on_readable,
                                           .dropped = on_dropped,
                                           .failing = on_failing,
                                           .arg = lane};

    return hf_spool_new(&params, &lane->spool, err);
}

static void note_damage(const struct hf_outlet_lane *lane, const char *dir)
{
    const struct hf_spool_stats stats = hf_spool_state(lane->spool).store;

    if (stats.damaged > 0 || stats.mended > 0 || stats.lost_at_end > 0)
        hf_log(lane->config->env.log, HF_LOG_ERROR, "telemetry.spool_damaged",
               HF_S("sink", hf_outlet_name(lane->config->sink)), HF_S("dir", dir),
               HF_D("segments", (int64_t)(stats.damaged + stats.mended)), HF_D("set_aside", (int64_t)stats.set_aside),
               HF_D("records", (int64_t)stats.lost_at_end));
}

/* Borders of another stream belong to other records. */
static int restore_batches(struct hf_outlet_lane *lane, const struct hf_borders *borders, uint64_t delivered)
{
    if (strcmp(borders->stream, hf_spool_stream(lane->spool)) != 0)
        return 0;
    for (size_t i = 0; i < borders->n; i++) {
        const struct hf_border *border = &borders->items[i];
        if (border->last <= delivered)
            continue;
        struct hf_batch *batch = hf_batches_add(&lane->batches, border->first, border->last,
                                                border->done ? HF_BATCH_DONE : HF_BATCH_WAITING);
        if (batch == NULL)
            return -ENOMEM;
        batch->saved = true;
    }
    return 0;
}

int hf_outlet_lane_open(struct hf_outlet_lane *lane, enum hf_lane which, uint64_t max_bytes,
                        const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                        struct hf_outlet_drops *drops, struct hf_err *err)
{
    struct hf_borders borders;
    char dir[HF_OUTLET_PATH], path[HF_OUTLET_PATH + 16];

    (void)snprintf(dir, sizeof(dir), "%s/%s", config->dir, hf_outlet_config_lane_name(which));
    (void)snprintf(path, sizeof(path), "%s/borders", dir);
    *lane = (struct hf_outlet_lane){
        .config = config, .metrics = metrics, .drops = drops, .which = which, .file = {.fd = -1}, .due_ns = HF_NEVER};
    lane->max_bytes = HF_MAX(max_bytes, (uint64_t)HF_OUTLET_MIN_LANE_BYTES);
    int r = hf_dir_make(config->env.fs, dir, 0700, err);
    lane->reserve_bytes = r == 0 ? reserve_of(config, dir) : 0;
    if (r == 0)
        r = hf_border_file_open(config->env.fs, path, config->refuse_unreadable, &lane->file, &borders, err);
    if (r == 0)
        r = open_spool(lane, dir, borders.n > 0 ? borders.items[borders.n - 1].last : 0, err);
    if (r < 0)
        return r;
    note_damage(lane, dir);
    restore_shares(lane);
    lane->backlog_until = hf_outlet_lane_durable(lane);
    hf_fresh_init(&lane->fresh, lane->backlog_until, hf_outlet_lane_wait_ns(lane), hf_mono_ns(config->env.clock));
    r = restore_batches(lane, &borders, hf_spool_state(lane->spool).store.delivered);
    return r < 0 ? hf_err_set(err, -r, "open '%s'", dir) : 0;
}

/* ---- the link ---------------------------------------------------------------------------------------------------- */

static bool is_closed(const struct hf_outlet_lane *lane)
{
    const struct hf_telemetry_link *link = lane->config->link;

    return lane->which == HF_LANE_BULK && link != NULL && link->closed != NULL;
}

/* Notes that the spool has refused appends. The time covers the pauses between the attempts of the sources. */
static void look_for_refusals(struct hf_outlet_lane *lane, uint64_t now_ns)
{
    uint64_t refused = hf_spool_state(lane->spool).refused_full;

    if (refused != lane->refused_seen)
        lane->full_until_ns = now_ns + FULL_NS;
    lane->refused_seen = refused;
}

/* The lowest sequence with which a batch may begin while the link is closed. When the spool is full, the oldest records
 * use the share of live ones: delivered records behind an older one take room until that one has left, too. So they do
 * when the table has no place left, until done batches have joined. */
static uint64_t closed_from(const struct hf_outlet_lane *lane)
{
    bool full = lane->full_until_ns > hf_mono_ns(lane->config->env.clock);

    return full || hf_batches_crowded(&lane->batches) ? 0 : lane->fresh.old_until + 1;
}

uint64_t hf_outlet_lane_from(struct hf_outlet_lane *lane, uint64_t now_ns, uint64_t *wait_until_ns)
{
    hf_fresh_look(&lane->fresh, hf_outlet_lane_durable(lane), now_ns);
    look_for_refusals(lane, now_ns);
    if (!is_closed(lane))
        return 0;
    uint64_t until_ns = hf_fresh_wait_until_ns(&lane->fresh);
    if (until_ns <= now_ns)
        return closed_from(lane);
    if (!hf_outlet_lane_holds_all(lane))
        *wait_until_ns = HF_MIN(*wait_until_ns, until_ns);
    return UINT64_MAX;
}

bool hf_outlet_lane_begin(struct hf_outlet_lane *lane, uint64_t first, uint64_t bytes, uint64_t now_ns)
{
    if (lane->which != HF_LANE_BULK)
        return false;
    hf_fresh_look(&lane->fresh, hf_outlet_lane_durable(lane), now_ns);
    if (!is_closed(lane) && !hf_fresh_is_live(&lane->fresh, first, now_ns))
        return true;
    hf_fresh_pay(&lane->fresh, bytes, now_ns);
    return false;
}

void hf_outlet_lane_sent(const struct hf_outlet_lane *lane, uint64_t bytes, bool backlog)
{
    const struct hf_telemetry_link *link = lane->config->link;

    if (link != NULL && link->sent != NULL)
        link->sent(link->arg, bytes, backlog);
}

bool hf_outlet_lane_holds(const struct hf_outlet_lane *lane)
{
    return is_closed(lane) && hf_spool_state(lane->spool).delivered < lane->fresh.old_until;
}

bool hf_outlet_lane_holds_all(const struct hf_outlet_lane *lane)
{
    const struct hf_batches *batches = &lane->batches;
    uint64_t from = closed_from(lane);
    struct hf_border gap;

    return is_closed(lane) && from > 0 && !hf_batches_travel(batches, from) &&
           !hf_batches_gap(batches, hf_batches_pass_from(batches, from), hf_outlet_lane_durable(lane), &gap);
}

/* ---- appending --------------------------------------------------------------------------------------------------- */

uint64_t hf_outlet_lane_wait_ns(const struct hf_outlet_lane *lane)
{
    uint64_t timeout_ns = lane->config->spec->batch_timeout_ns;

    return lane->which == HF_LANE_URGENT ? HF_MIN(timeout_ns, URGENT_WAIT_NS) : timeout_ns;
}

/* The spool refused records. Room appears when segments go, and also when another program frees space on the disk,
 * which nobody reports: so tries again after a while. */
static void retry_refused(struct hf_outlet_lane *lane, const struct hf_spool_state *state)
{
    uint64_t now_ns = hf_mono_ns(lane->config->env.clock);

    if (state->refused_full == lane->refused_before)
        lane->refused_since_ns = 0;
    else if (lane->refused_since_ns == 0)
        lane->refused_since_ns = now_ns;
    else if (now_ns - lane->refused_since_ns >= RETRY_FULL_NS) {
        lane->refused_before = state->refused_full;
        lane->refused_since_ns = 0;
    }
}

bool hf_outlet_lane_has_room(struct hf_outlet_lane *lane, size_t n)
{
    struct hf_spool_state state = hf_spool_state(lane->spool);
    const bool *paused = lane->config->env.writes_paused;

    if (lane->which == HF_LANE_BULK && paused != NULL && *paused)
        return false;
    retry_refused(lane, &state);
    return state.refused_full == lane->refused_before && state.pending_records < HF_SPOOL_PENDING_RECORDS &&
           state.pending_bytes + n <= HF_SPOOL_PENDING_BYTES;
}

/* Counts the line towards the next batch, and starts that batch's wait and age where it is the first. */
static void note_append(struct hf_outlet_lane *lane, size_t n)
{
    if (hf_spool_state(lane->spool).queued == 0 && lane->unplanned_bytes == 0)
        lane->oldest_unix_ns = hf_unix_ns(lane->config->env.clock);
    lane->unplanned_bytes += n + 1;
    if (lane->due_ns == HF_NEVER)
        lane->due_ns = hf_mono_ns(lane->config->env.clock) + hf_outlet_lane_wait_ns(lane);
}

/* Makes a place for one more line on its way to disk. */
static int grow_appends(struct hf_outlet_lane *lane)
{
    if (lane->n_appends == lane->cap_appends && lane->first_append > 0) {
        lane->n_appends -= lane->first_append;
        memmove(lane->appends, lane->appends + lane->first_append, lane->n_appends * sizeof(*lane->appends));
        lane->first_append = 0;
    }
    return hf_array_grow(lane->appends, lane->n_appends, lane->cap_appends, HF_ARRAY_ANY);
}

int hf_outlet_lane_append(struct hf_outlet_lane *lane, uint64_t owner, uint32_t tag, struct hf_view line,
                          struct hf_receipt *receipt)
{
    unsigned slot = hf_shares_slot(&lane->shares, owner), bytes = (unsigned)hf_spool_record_bytes(line.n);

    if (!hf_outlet_lane_has_room(lane, line.n))
        return -EAGAIN;
    int r = grow_appends(lane);
    if (r == 0)
        r = hf_spool_append(lane->spool, tag, line, on_durable, lane);
    if (r < 0)
        return r;
    /* the spool never calls on_durable() from within hf_spool_append() */
    lane->appends[lane->n_appends++] = (struct lane_append){receipt, slot, bytes};
    hf_shares_begin(&lane->shares, slot, bytes);
    hf_receipt_hold(receipt);
    note_append(lane, line.n);
    return 0;
}

/* ---- delivered records ------------------------------------------------------------------------------------------- */

void hf_outlet_lane_settle(struct hf_outlet_lane *lane)
{
    struct hf_spool_state state = hf_spool_state(lane->spool);
    uint64_t delivered = hf_batches_settle(&lane->batches, state.delivered, state.store.delivered);

    if (state.store.delivered > lane->durable_before) { /* the spool may have deleted segments */
        lane->durable_before = state.store.delivered;
        lane->refused_before = state.refused_full;
        hf_shares_gone(&lane->shares, state.store.delivered);
    }
    if (delivered > state.delivered)
        hf_spool_deliver(lane->spool, delivered);
}

uint64_t hf_outlet_lane_durable(const struct hf_outlet_lane *lane)
{
    struct hf_spool_state state = hf_spool_state(lane->spool);

    return state.delivered + state.queued;
}

uint64_t hf_outlet_lane_oldest_unix_ns(const struct hf_outlet_lane *lane)
{
    const struct hf_batches *batches = &lane->batches;

    for (size_t i = 0; i < batches->n; i++)
        if (batches->items[i]->phase != HF_BATCH_DONE && batches->items[i]->unix_ns != 0)
            return batches->items[i]->unix_ns;
    return hf_spool_state(lane->spool).queued > 0 ? lane->oldest_unix_ns : 0;
}
