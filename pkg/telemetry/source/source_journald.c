/* SPDX-License-Identifier: Apache-2.0 */
/* The source `journald`: the systemd journal, through libsystemd.
 *
 * Reads entries in order, a few in each turn of the loop. An entry's cursor stays the same through rotation and
 * vacuuming; its hash is the event's id. The cursor up to which everything is durable goes to disk. Without a journal
 * the source logs that once and tries again.
 *
 * Where to begin: wall time places no entry of this boot, because the clock may have gone back since the last entry.
 *
 *   no cursor                  the entries of this boot, from the first one
 *   a cursor of this boot      the entries of this boot behind it, by number or monotonic time
 *   a cursor of another boot   what the journal has of other boots behind it, then all entries of this boot
 *   no entry of this boot yet  what the journal has behind the cursor, until an entry of this boot is there */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/list.h"
#include "codec/sha256.h"
#include "os/file.h"
#include "telemetry/journal/fault.h"
#include "telemetry/source/position.h"
#include "telemetry/source/source_common.h"

enum {
    AT_ONCE = 128, /* limit for one turn of the loop */
    PIECE = 64,    /* entries under one receipt */
    MAX_PIECES = 64,
    RETRY_S = 30,
    ROOTS_S = 60, /* between two looks at the folders of the journal */
    ROOTS = 2,
    MAX_FIELD = 64 << 10,
    MAX_UNIT = 256,
    MAX_CURSOR = 512,
};

/* The entries that the source reads now. */
enum span {
    ANY_BOOT,    /* all, because the journal has none of this boot */
    OTHER_BOOTS, /* those of other boots, until they end; then those of this boot */
    THIS_BOOT,
};

struct journald {
    struct hf_source source;
    const struct hf_telemetry_env *env;
    const struct hf_intake *intake;
    struct hf_source_names include, exclude;
    enum hf_severity least;
    sd_journal *journal; /* NULL: not open */
    enum span span;
    sd_id128_t boot;  /* this boot */
    int roots[ROOTS]; /* its folders, open so that no other folder gets their inode numbers; -1: not there */
    struct hf_loop_fd *watch;
    struct hf_timer *timer;
    struct hf_position *position;
    char cursor[MAX_CURSOR]; /* everything up to it is durable; "": nothing yet */
    struct hf_list pieces;   /* in order */
    size_t n_pieces;
    size_t unsaved; /* durable entries since the last save */
    bool at_entry;  /* the journal is at an entry that the intake has not accepted */
    bool go_back;   /* storing failed: start again at `cursor` */
    bool failure_logged, unreadable_logged, gone_logged;
};

/* Consecutive entries under one receipt. */
struct journal_piece {
    struct hf_list link;
    struct hf_receipt receipt;
    struct journald *from;   /* NULL: freed, or its entries are read again */
    char cursor[MAX_CURSOR]; /* its last entry */
    size_t offered;
    bool done;
};

static void arm(struct journald *from, uint64_t delay_ns)
{
    hf_timer_arm(from->env->sched, from->timer, delay_ns);
}

/* ---- libsystemd, which maps the files of the journal ------------------------------------------------------------- */

static void enter(void)
{
    hf_journal_fault_begin();
}

static void leave(struct journald *from)
{
    if (!hf_journal_fault_end() || from->unreadable_logged)
        return;
    from->unreadable_logged = true;
    hf_log(from->env->log, HF_LOG_ERROR, "telemetry.journal_unreadable");
}

/* ---- how far ----------------------------------------------------------------------------------------------------- */

static int write_cursor(void *arg, struct hf_buf *out)
{
    struct journald *from = arg;

    from->unsaved = 0;
    return hf_buf_add_str(out, from->cursor);
}

static void read_cursor(struct journald *from)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_POSITION_MAX_BYTES);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_position_load(from->position, &text, &err);

    if (r < 0 && r != -ENOENT)
        hf_log_err(from->env->log, HF_LOG_WARNING, "telemetry.position_not_read", "source", "journald", &err);
    if (r == 0 && text.n < sizeof(from->cursor))
        (void)snprintf(from->cursor, sizeof(from->cursor), "%s", hf_buf_str(&text));
}

static void forget_pieces(struct journald *from)
{
    while (!hf_list_empty(&from->pieces)) {
        struct journal_piece *piece = hf_container_of(from->pieces.next, struct journal_piece, link);
        hf_list_remove(&piece->link);
        piece->from = NULL;
        if (piece->done)
            free(piece);
    }
    from->n_pieces = 0;
}

static void settled(struct hf_receipt *receipt)
{
    struct journal_piece *piece = hf_container_of(receipt, struct journal_piece, receipt);
    struct journald *from = piece->from;

    if (from == NULL) {
        free(piece);
        return;
    }
    piece->done = true;
    if (receipt->r < 0) {
        forget_pieces(from);
        from->go_back = true;
        arm(from, 5 * HF_NS_PER_S);
        return;
    }
    if (from->n_pieces == MAX_PIECES)
        arm(from, 0); /* reading had stopped at the limit */
    while (!hf_list_empty(&from->pieces)) {
        piece = hf_container_of(from->pieces.next, struct journal_piece, link);
        if (!piece->done)
            return;
        if (piece->cursor[0] != '\0') {
            memcpy(from->cursor, piece->cursor, sizeof(from->cursor));
            from->unsaved += piece->offered;
            /* unwanted entries alone are not worth a write */
            if (piece->offered > 0)
                hf_position_changed(from->position, from->unsaved >= HF_POSITION_MAX_UNSAVED, write_cursor, from);
        }
        hf_list_remove(&piece->link);
        from->n_pieces--;
        free(piece);
    }
}

/* ---- an entry ---------------------------------------------------------------------------------------------------- */

/* Valid until the next call. */
static bool get_field(const struct journald *from, const char *name, struct hf_view *ret)
{
    const void *data;
    size_t n, prefix = strlen(name) + 1;

    if (sd_journal_get_data(from->journal, name, &data, &n) < 0 || n < prefix)
        return false;
    *ret = (struct hf_view){(const char *)data + prefix, n - prefix};
    return true;
}

static bool copy_field(const struct journald *from, const char *name, char *text, size_t n)
{
    struct hf_view value;

    text[0] = '\0';
    if (!get_field(from, name, &value) || value.n == 0)
        return false;
    (void)snprintf(text, n, "%.*s", (int)HF_MIN(value.n, n - 1), value.p);
    return true;
}

/* Only the kernel's own entries are the kernel's. Valid until the next call. */
static void name_source(const struct journald *from, const char *unit, const char *identifier, char *text, size_t n)
{
    struct hf_view transport;
    char command[MAX_UNIT];
    bool is_kernel = get_field(from, "_TRANSPORT", &transport) && hf_view_eq(transport, "kernel");
    const char *name = unit[0] != '\0' ? unit : identifier[0] != '\0' ? identifier : is_kernel ? "kernel" : command;

    (void)copy_field(from, "_COMM", command, sizeof(command));
    (void)snprintf(text, n, "journald%s%s", name[0] != '\0' ? ":" : "", name);
}

static enum hf_severity severity_of(const struct journald *from)
{
    static const enum hf_severity severities[] = {
        HF_SEVERITY_EMERGENCY, HF_SEVERITY_ALERT,  HF_SEVERITY_CRITICAL, HF_SEVERITY_ERROR,
        HF_SEVERITY_WARNING,   HF_SEVERITY_NOTICE, HF_SEVERITY_INFO,     HF_SEVERITY_DEBUG,
    };
    struct hf_view value;

    if (!get_field(from, "PRIORITY", &value) || value.n != 1 || value.p[0] < '0' || value.p[0] > '7')
        return HF_SEVERITY_INFO;
    return severities[value.p[0] - '0'];
}

/* Finds the unit that the entry is about: messages of systemd about a unit count for that unit. journald itself writes
 * the fields that begin with '_'. Every program may write the others, so they count only if root wrote the entry. */
static void unit_of(const struct journald *from, char unit[MAX_UNIT])
{
    static const char *const named[] = {"UNIT", "OBJECT_SYSTEMD_UNIT", "COREDUMP_UNIT"};
    struct hf_view uid;
    bool is_root = get_field(from, "_UID", &uid) && hf_view_eq(uid, "0");

    for (size_t i = 0; is_root && i < HF_LEN(named); i++)
        if (copy_field(from, named[i], unit, MAX_UNIT))
            return;
    (void)copy_field(from, "_SYSTEMD_UNIT", unit, MAX_UNIT);
}

static void add_attribute(struct hf_event *event, const char *name, const char *value)
{
    if (value[0] != '\0')
        event->attributes[event->n_attributes++] = (struct hf_attribute){hf_view_of(name), hf_view_of(value)};
}

struct journal_entry {
    char unit[MAX_UNIT], identifier[MAX_UNIT], pid[32], source[MAX_UNIT + 16], id[40];
    char cursor[MAX_CURSOR];
    uint64_t unix_us;
};

static int offer(struct journald *from, struct journal_entry *entry, enum hf_severity severity,
                 struct hf_receipt *receipt)
{
    char hex[HF_SHA256_HEX];
    struct hf_event event = {.kind = HF_EVENT_LOG,
                             .source_class = HF_SOURCE_JOURNALD,
                             .severity = severity,
                             .unix_ns = entry->unix_us * HF_NS_PER_US};

    (void)copy_field(from, "SYSLOG_IDENTIFIER", entry->identifier, sizeof(entry->identifier));
    (void)copy_field(from, "_PID", entry->pid, sizeof(entry->pid));
    name_source(from, entry->unit, entry->identifier, entry->source, sizeof(entry->source));
    (void)snprintf(entry->id, sizeof(entry->id), "j%.32s", hf_sha256_hex(entry->cursor, strlen(entry->cursor), hex));
    event.source = hf_view_of(entry->source);
    event.id = hf_view_of(entry->id);
    add_attribute(&event, "systemd.unit", entry->unit);
    add_attribute(&event, "syslog.identifier", entry->identifier);
    add_attribute(&event, "process.pid", entry->pid);
    if (!get_field(from, "MESSAGE", &event.body)) /* last, because the next call invalidates it */
        return 0;
    if (event.body.n > MAX_FIELD) {
        event.body.n = MAX_FIELD;
        event.truncated = true;
    }
    return hf_source_offer(from->intake, &event, receipt);
}

static bool is_of_this_boot(const struct journald *from)
{
    sd_id128_t boot;
    uint64_t us;

    return sd_journal_get_monotonic_usec(from->journal, &us, &boot) >= 0 && sd_id128_equal(boot, from->boot);
}

/* 0: accepted or not wanted; -EAGAIN: pass the same entry again later; else the source must open the journal again. */
static int take_entry(struct journald *from, struct journal_piece *piece)
{
    _cleanup_(hf_freep) char *cursor = NULL;
    struct journal_entry entry = {.unix_us = 0};
    int r = sd_journal_get_cursor(from->journal, &cursor);

    if (r < 0 || strlen(cursor) >= sizeof(entry.cursor))
        return r == -EADDRNOTAVAIL || r >= 0 ? 0 : r;
    (void)snprintf(entry.cursor, sizeof(entry.cursor), "%s", cursor);
    r = sd_journal_get_realtime_usec(from->journal, &entry.unix_us);
    if (r < 0)
        return r == -EBADMSG ? 0 : r; /* skip a damaged entry */
    if (from->span == OTHER_BOOTS && is_of_this_boot(from))
        return 0; /* its turn comes */
    enum hf_severity severity = severity_of(from);
    unit_of(from, entry.unit);
    bool wanted =
        severity >= from->least && hf_source_name_wanted((const char *const *)from->include.names,
                                                         (const char *const *)from->exclude.names, entry.unit);
    if (wanted && offer(from, &entry, severity, &piece->receipt) == -EAGAIN)
        return -EAGAIN;
    piece->offered += wanted;
    memcpy(piece->cursor, entry.cursor, sizeof(piece->cursor));
    return 0;
}

/* ---- folders of the journal -------------------------------------------------------------------------------------- */

/* libsystemd watches only the folders that were there when it opened the journal: not a /var/log/journal that an
 * administrator makes later, and not a folder that replaces another one. */

static const char *root_path(const struct journald *from, size_t i)
{
    static const char *const paths[ROOTS] = {"/run/log/journal", "/var/log/journal"};

    return from->env->journal != NULL ? from->env->journal : paths[i];
}

static void close_roots(struct journald *from)
{
    for (size_t i = 0; i < ROOTS; i++) {
        if (from->roots[i] >= 0)
            (void)close(from->roots[i]);
        from->roots[i] = -1;
    }
}

static void open_roots(struct journald *from)
{
    close_roots(from);
    for (size_t i = 0; i < ROOTS; i++)
        from->roots[i] = open(root_path(from, i), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool roots_changed(const struct journald *from)
{
    struct stat before, now;

    for (size_t i = 0; i < ROOTS; i++) {
        bool was = from->roots[i] >= 0 && fstat(from->roots[i], &before) == 0;
        bool is = stat(root_path(from, i), &now) == 0 && S_ISDIR(now.st_mode);
        if (was != is || (is && (before.st_ino != now.st_ino || before.st_dev != now.st_dev)))
            return true;
    }
    return false;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void close_journal(struct journald *from)
{
    hf_loop_unwatch_fd(&from->watch);
    enter();
    sd_journal_close(from->journal);
    leave(from);
    close_roots(from);
    from->journal = NULL;
    from->at_entry = false;
}

static void trouble(struct journald *from, const char *what, int r)
{
    if (!from->failure_logged)
        hf_log(from->env->log, HF_LOG_WARNING, "telemetry.journal_failed", HF_S("what", what),
               HF_S("error", strerror(-r)), HF_D("again_s", RETRY_S));
    from->failure_logged = true;
    close_journal(from);
    arm(from, RETRY_S * HF_NS_PER_S);
}

/* Finds out which boot this is. In a pod, the host's /proc shows the host's. */
static void learn_boot(struct journald *from)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(64);
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/sys/kernel/random/boot_id", from->env->proc);
    if (hf_file_read(from->env->fs, path, &text, NULL) == 0) {
        char id[SD_ID128_UUID_STRING_MAX];
        (void)snprintf(id, sizeof(id), "%s", hf_buf_str(&text));
        if (sd_id128_from_string(id, &from->boot) >= 0)
            return;
    }
    if (sd_id128_get_boot(&from->boot) < 0)
        from->boot = SD_ID128_NULL;
}

/* Makes the journal show this boot's entries alone, and seeks before the first one. False: there is none. */
static bool seek_this_boot(struct journald *from)
{
    char match[sizeof("_BOOT_ID=") + SD_ID128_STRING_MAX];

    (void)snprintf(match, sizeof(match), "_BOOT_ID=%s", SD_ID128_TO_STRING(from->boot));
    sd_journal_flush_matches(from->journal);
    return sd_journal_add_match(from->journal, match, 0) >= 0 && sd_journal_seek_head(from->journal) >= 0 &&
           sd_journal_next(from->journal) > 0;
}

/* True if the cursor's entry is one of this boot. */
static bool cursor_is_of_this_boot(const struct journald *from)
{
    char word[sizeof(";b=") + SD_ID128_STRING_MAX];

    (void)snprintf(word, sizeof(word), ";b=%s", SD_ID128_TO_STRING(from->boot));
    return strstr(from->cursor, word) != NULL;
}

static int begin_this_boot(struct journald *from)
{
    from->span = THIS_BOOT;
    return seek_this_boot(from) ? sd_journal_seek_head(from->journal) : -EIO;
}

/* Seeks the first entry behind the cursor. */
static int seek_cursor(struct journald *from)
{
    int r = sd_journal_seek_cursor(from->journal, from->cursor);

    if (r >= 0)
        r = sd_journal_next(from->journal);
    if (r < 0)
        return r;
    bool found = r > 0 && sd_journal_test_cursor(from->journal, from->cursor) > 0;
    from->at_entry = r > 0 && !found; /* an entry behind it */
    if (!found && !from->gone_logged)
        hf_log(from->env->log, HF_LOG_WARNING, "telemetry.position_gone", HF_S("source", "journald"),
               HF_S("position", from->cursor));
    from->gone_logged |= !found;
    return 0;
}

/* Seeks the first entry that is not durable yet. */
static int seek(struct journald *from)
{
    from->at_entry = false;
    learn_boot(from);
    if (!seek_this_boot(from)) {
        from->span = ANY_BOOT;
        sd_journal_flush_matches(from->journal);
        return from->cursor[0] != '\0' ? seek_cursor(from) : sd_journal_seek_head(from->journal);
    }
    if (from->cursor[0] == '\0')
        return begin_this_boot(from);
    from->span = cursor_is_of_this_boot(from) ? THIS_BOOT : OTHER_BOOTS;
    if (from->span == OTHER_BOOTS)
        sd_journal_flush_matches(from->journal);
    return seek_cursor(from);
}

/* The entries have come to their end. Returns 0 if there may be more, 1 if not, or -errno. */
static int go_on_behind_end(struct journald *from)
{
    int r = 1;

    if (from->span == OTHER_BOOTS)
        r = begin_this_boot(from);
    else if (from->span == ANY_BOOT && hf_list_empty(&from->pieces)) /* else a later look */
        r = seek(from) < 0 ? -EIO : from->span == ANY_BOOT;
    return r;
}

static void on_change(void *arg)
{
    struct journald *from = arg;

    if (from->journal == NULL)
        return;
    enter();
    int r = sd_journal_process(from->journal);
    leave(from);
    if (r >= 0)
        arm(from, 0);
}

static int open_journal(struct journald *from)
{
    const char *folder = from->env->journal;

    open_roots(from);
    int r = folder != NULL ? sd_journal_open_directory(&from->journal, folder, 0)
                           : sd_journal_open(&from->journal, SD_JOURNAL_LOCAL_ONLY);

    if (r < 0) {
        from->journal = NULL;
        return r;
    }
    if (folder == NULL && sd_journal_has_runtime_files(from->journal) == 0 &&
        sd_journal_has_persistent_files(from->journal) == 0)
        return -ENOENT;
    (void)sd_journal_set_data_threshold(from->journal, MAX_FIELD + 64);
    int fd = sd_journal_get_fd(from->journal);
    r = fd < 0 ? fd : hf_loop_watch_fd(from->env->loop, fd, true, false, on_change, from, &from->watch);
    return r < 0 ? r : seek(from);
}

/* Reads up to PIECE entries under one receipt. 0: there may be more; 1: no more for now; else as take_entry(). */
static int read_piece(struct journald *from)
{
    struct journal_piece *piece = calloc(1, sizeof(*piece));
    int r = 0;

    if (piece == NULL)
        return -ENOMEM;
    piece->receipt.settled = settled;
    piece->from = from;
    hf_list_append(&from->pieces, &piece->link);
    from->n_pieces++;
    hf_receipt_hold(&piece->receipt);
    for (int i = 0; i < PIECE && r == 0; i++) {
        if (!from->at_entry) {
            r = sd_journal_next(from->journal);
            if (r <= 0) {
                r = r == 0 ? 1 : r;
                break;
            }
            from->at_entry = true;
        }
        r = take_entry(from, piece);
        from->at_entry = r != 0;
    }
    hf_receipt_release(&piece->receipt, 0);
    return r;
}

static void look_inside(struct journald *from)
{
    int r = 0;

    if (from->journal != NULL && roots_changed(from))
        close_journal(from);
    if (from->journal == NULL && (r = open_journal(from)) < 0) {
        trouble(from, "open", r);
        return;
    }
    if (from->go_back && (r = seek(from)) < 0) {
        trouble(from, "seek", r);
        return;
    }
    from->go_back = false;
    from->failure_logged = false;
    for (int i = 0; r == 0 && i < AT_ONCE / PIECE && from->n_pieces < MAX_PIECES && !from->go_back; i++)
        r = read_piece(from);
    if (r == 1)
        r = go_on_behind_end(from);
    if (r == -EAGAIN)
        arm(from, HF_NS_PER_S); /* resume() comes sooner */
    else if (r < 0)
        trouble(from, "read", r);
    else if (r == 0 && from->n_pieces < MAX_PIECES && !from->go_back)
        arm(from, 0);
    else if (r == 1 && sd_journal_reliable_fd(from->journal) == 0)
        arm(from, 2 * HF_NS_PER_S); /* network file systems send no change events */
    else if (r == 1)
        arm(from, ROOTS_S * HF_NS_PER_S);
}

/* The intake copies what it is offered, so no page of the journal is read outside. */
static void look(void *arg)
{
    struct journald *from = arg;

    enter();
    look_inside(from);
    leave(from);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void resume(struct hf_source *source)
{
    struct journald *from = hf_container_of(source, struct journald, source);

    if (from->journal != NULL && !from->go_back)
        arm(from, 0);
}

static void journald_free(struct hf_source *source)
{
    struct journald *from = hf_container_of(source, struct journald, source);

    hf_position_free(from->position);
    forget_pieces(from);
    close_journal(from);
    hf_timer_free(from->env->sched, from->timer);
    hf_source_names_done(&from->include);
    hf_source_names_done(&from->exclude);
    free(from);
}

int hf_source_journald_new(const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                           const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err)
{
    struct journald *from = calloc(1, sizeof(*from));

    if (from == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    from->source = (struct hf_source){.name = "journald", .resume = resume, .free = journald_free};
    from->env = env;
    from->intake = intake;
    from->least = sources->journald_min_severity;
    from->roots[0] = from->roots[1] = -1;
    hf_list_init(&from->pieces);
    from->position = hf_position_new(env, "journald");
    from->timer = hf_timer_new(env->sched, look, from);
    if (from->position == NULL || from->timer == NULL ||
        hf_source_names_copy(&from->include, sources->journald_include) < 0 ||
        hf_source_names_copy(&from->exclude, sources->journald_exclude) < 0) {
        journald_free(&from->source);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    read_cursor(from);
    arm(from, 0);
    *ret_source = &from->source;
    return 0;
}
