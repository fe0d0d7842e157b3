/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/source/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/dir.h"
#include "telemetry/source/tail_open.h"

/* The saved position of a truncated file without a line: it lies beyond the end, so the next process sees the
 * truncation. */
#define BEYOND_ANY 9000000000000000000u

enum { LOOK_S = 1, AGAIN_S = 5, LOOKS = 2, MAX_PATH = 1024, MAX_REFUSED = 32 };

/* A file's position as an earlier process saved it. */
struct saved_position {
    uint64_t dev, ino, start_hash, safe, mark, birth_ns;
    unsigned generation, missed; /* missed: searches in a row that did not find it in its folder */
    char *path;                  /* NULL: taken over */
};

struct hf_tail {
    const struct hf_telemetry_env *env;
    const struct hf_tail_ops *ops;
    void *arg;
    struct hf_position *position;
    struct hf_timer *timer;
    struct hf_list files;
    size_t n_files, n_pieces;
    size_t unsaved;       /* durable lines since the last save */
    struct hf_list stale; /* pieces that no file waits for */
    struct saved_position *saved;
    size_t n_saved;
    uint64_t find_ns;
    bool full_logged;
    uint64_t refused[MAX_REFUSED]; /* hashes of paths that were logged as refused */
    size_t n_refused;
};

/* Lines that one read brought, under one receipt. */
struct tail_piece {
    struct hf_list link; /* in file->pieces */
    struct hf_receipt receipt;
    struct hf_tail *tail; /* NULL: freed */
    /* NULL: the file is gone, or reads this part again */
    struct hf_tail_file *file;
    uint64_t begin, end;
    size_t lines;
    bool done;
};

static void settled(struct hf_receipt *receipt);

/* ---- what is told to the disk ------------------------------------------------------------------------------------ */

static int add_position(struct hf_buf *out, const struct saved_position *e)
{
    if (e->start_hash == 0)
        return 0;
    return hf_buf_addf(out, "%" PRIx64 " %" PRIu64 " %016" PRIx64 " %u %" PRIu64 " %016" PRIx64 " %" PRIu64 " %s\n",
                       e->dev, e->ino, e->start_hash, e->generation, e->safe, e->mark, e->birth_ns, e->path);
}

static uint64_t safe_mark(struct hf_tail_file *file);

static int write_positions(void *arg, struct hf_buf *out)
{
    struct hf_tail *tail = arg;
    int r = 0;

    tail->unsaved = 0;
    for (struct hf_list *it = tail->files.next; it != &tail->files && r == 0; it = it->next) {
        struct hf_tail_file *file = hf_container_of(it, struct hf_tail_file, link);
        const struct saved_position e = {.dev = file->dev,
                                         .ino = file->ino,
                                         .start_hash = file->cut ? file->before : file->start_hash,
                                         .safe = file->cut ? BEYOND_ANY : file->safe,
                                         .mark = file->cut ? 0 : safe_mark(file),
                                         .birth_ns = file->birth_ns,
                                         .generation = file->generation,
                                         .path = file->path};
        r = add_position(out, &e);
    }
    for (size_t i = 0; i < tail->n_saved && r == 0; i++)
        if (tail->saved[i].path != NULL)
            r = add_position(out, &tail->saved[i]);
    return r == -E2BIG ? 0 : r;
}

/* The field widths keep every number within its type. Earlier versions saved no mark and no birth. */
static void parse_saved(struct hf_tail *tail, char *line)
{
    struct saved_position e = {.path = NULL};
    int at = 0, more = 0;

    if (sscanf(line, "%16" SCNx64 " %19" SCNu64 " %16" SCNx64 " %9u %19" SCNu64 " %n", &e.dev, &e.ino, &e.start_hash,
               &e.generation, &e.safe, &at) != 5 ||
        e.start_hash == 0)
        return;
    if (sscanf(line + at, "%16" SCNx64 " %19" SCNu64 " %n", &e.mark, &e.birth_ns, &more) == 2)
        at += more;
    if (line[at] != '/')
        return;
    e.path = strdup(line + at);
    if (e.path != NULL)
        tail->saved[tail->n_saved++] = e;
}

static int load_positions(struct hf_tail *tail)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_POSITION_MAX_BYTES);
    struct hf_err err = HF_ERR_INIT;
    struct hf_view rest, line;
    int r = hf_position_load(tail->position, &text, &err);

    if (r < 0 && r != -ENOENT) /* then tail reads everything again, and the ids prevent duplicates */
        hf_log_err(tail->env->log, HF_LOG_WARNING, "telemetry.position_not_read", "source", "tail", &err);
    tail->saved = calloc(2 * HF_TAIL_MAX_FILES, sizeof(*tail->saved));
    if (tail->saved == NULL)
        return -ENOMEM;
    rest = hf_buf_view(&text);
    while (r == 0 && tail->n_saved < (size_t)2 * HF_TAIL_MAX_FILES && hf_view_split(&rest, '\n', &line)) {
        char copy[MAX_PATH + 128];
        if (line.n == 0 || line.n >= sizeof(copy))
            continue;
        memcpy(copy, line.p, line.n);
        copy[line.n] = '\0';
        parse_saved(tail, copy);
    }
    return 0;
}

static void changed(struct hf_tail *tail, bool soon)
{
    hf_position_changed(tail->position, soon, write_positions, tail);
}

/* ---- files that are followed ------------------------------------------------------------------------------------- */

static const struct hf_fs_ops *fs_of(const struct hf_tail_file *file)
{
    return file->tail->env->fs;
}

/* Notes what is before the offset now, to see later whether it is still there. */
static void set_mark(struct hf_tail_file *file)
{
    if (file->mark_at == file->offset)
        return;
    file->mark_at = file->offset;
    file->mark = hf_tail_open_hash_before(fs_of(file), file->fd, file->offset);
}

static bool holds_mark(const struct hf_tail_file *file)
{
    return file->mark == 0 || file->mark_at != file->offset ||
           hf_tail_open_hash_before(fs_of(file), file->fd, file->offset) == file->mark;
}

static uint64_t safe_mark(struct hf_tail_file *file)
{
    if (file->safe_mark_at != file->safe)
        file->safe_mark =
            file->mark_at == file->safe ? file->mark : hf_tail_open_hash_before(fs_of(file), file->fd, file->safe);
    file->safe_mark_at = file->safe;
    return file->safe_mark;
}

/* The place that tail had read up to is gone, with all behind it. unread_bytes: as far as anybody knows. */
static void log_gone(const struct hf_tail *tail, const char *path, uint64_t read_bytes, uint64_t unread_bytes)
{
    hf_log(tail->env->log, HF_LOG_WARNING, "telemetry.position_gone", HF_S("source", "tail"), HF_S("path", path),
           HF_D("read_bytes", (int64_t)read_bytes), HF_D("unread_bytes", (int64_t)unread_bytes));
}

struct hf_view hf_tail_id(const struct hf_tail_file *file, uint64_t offset, struct hf_view line, char *text)
{
    /* FNV-1a: not secret, it only tells apart two lines at one offset */
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < line.n; i++)
        hash = (hash ^ (unsigned char)line.p[i]) * 16777619u;
    int n = snprintf(text, HF_TAIL_ID, "f%" PRIx64 "-%08" PRIx32 "-%x-%" PRIx64 "-%08" PRIx32, file->ino,
                     (uint32_t)(file->start_hash >> 32 ^ file->dev), file->generation & 0xffff, offset, hash);
    return (struct hf_view){text, (size_t)n};
}

static void forget_state(struct hf_tail_file *file)
{
    if (file->state != NULL && file->tail->ops->forget != NULL)
        file->tail->ops->forget(file->tail->arg, file);
    file->state = NULL;
    file->hold_offset = UINT64_MAX;
    file->skipping = false;
}

static void drop_pieces(struct hf_tail_file *file)
{
    while (!hf_list_empty(&file->pieces)) {
        struct tail_piece *piece = hf_container_of(file->pieces.next, struct tail_piece, link);
        hf_list_remove(&piece->link);
        piece->file = NULL;
        if (piece->done)
            free(piece);
        else
            hf_list_append(&file->tail->stale, &piece->link);
    }
}

static void drop_file(struct hf_tail_file *file)
{
    struct hf_tail *tail = file->tail;

    drop_pieces(file);
    forget_state(file);
    (void)tail->env->fs->close(tail->env->fs->ctx, file->fd);
    hf_list_remove(&file->link);
    tail->n_files--;
    free(file->path);
    free(file);
}

/* Follows the open file `fd` and takes ownership of it. in_front: before all others. */
static struct hf_tail_file *add_file(struct hf_tail *tail, const char *path, const void *owner, int fd,
                                     const struct stat *st, bool in_front)
{
    if (tail->n_files >= HF_TAIL_MAX_FILES) {
        if (!tail->full_logged)
            hf_log(tail->env->log, HF_LOG_WARNING, "telemetry.too_many_files", HF_D("limit", HF_TAIL_MAX_FILES));
        tail->full_logged = true;
        return NULL;
    }
    struct hf_tail_file *file = calloc(1, sizeof(*file));
    char *copy = strdup(path);
    if (file == NULL || copy == NULL) {
        free(file);
        free(copy);
        return NULL;
    }
    *file = (struct hf_tail_file){.tail = tail,
                                  .path = copy,
                                  .owner = owner,
                                  .fd = fd,
                                  .dev = st->st_dev,
                                  .ino = st->st_ino,
                                  .birth_ns = hf_tail_open_birth_ns(tail->env->fs, fd),
                                  .hold_offset = UINT64_MAX};
    hf_list_init(&file->pieces);
    hf_list_append(in_front ? tail->files.next : &tail->files, &file->link);
    tail->n_files++;
    return file;
}

static struct saved_position *saved_of(struct hf_tail *tail, const struct stat *st)
{
    for (size_t i = 0; i < tail->n_saved; i++)
        if (tail->saved[i].path != NULL && tail->saved[i].dev == st->st_dev && tail->saved[i].ino == st->st_ino)
            return &tail->saved[i];
    return NULL;
}

static void forget_saved(struct saved_position *e)
{
    free(hf_steal(e->path));
}

static bool born_otherwise(const struct hf_tail_file *file, const struct saved_position *e)
{
    return file->birth_ns != 0 && e->birth_ns != 0 && file->birth_ns != e->birth_ns;
}

static void begin_again(struct hf_tail_file *file);

/* Goes on where an earlier process was. A file that is not the same one any more begins again, with other ids. */
static void take_up(struct hf_tail_file *file, struct saved_position *e)
{
    file->start_hash = e->start_hash;
    file->generation = e->generation;
    file->offset = file->safe = file->mark_at = file->safe_mark_at = e->safe;
    file->mark = file->safe_mark = e->mark;
    if (born_otherwise(file, e)) {
        log_gone(file->tail, e->path, e->safe, 0);
        begin_again(file);
    }
    forget_saved(e);
}

/* Logs a refused path once. Without memory for another one, logs nothing. */
static void note_refused(struct hf_tail *tail, const char *path, const struct hf_err *err)
{
    uint64_t hash = hf_tail_open_hash(path, strlen(path));

    for (size_t i = 0; i < tail->n_refused; i++)
        if (tail->refused[i] == hash)
            return;
    if (tail->n_refused == MAX_REFUSED)
        return;
    tail->refused[tail->n_refused++] = hash;
    hf_log_err(tail->env->log, HF_LOG_WARNING, "telemetry.file_refused", "path", path, err);
}

static int open_file(struct hf_tail *tail, const char *path, struct stat *ret_st)
{
    struct hf_err err = HF_ERR_INIT;
    int fd = hf_tail_open(tail->env->fs, path, tail->ops->allows, tail->arg, ret_st, &err);

    if (fd == -EACCES || fd == -ELOOP)
        note_refused(tail, path, &err);
    return fd;
}

/* True if the file is followed already, perhaps under another name. */
static bool see_again(struct hf_tail *tail, const char *path, const struct stat *st)
{
    for (struct hf_list *it = tail->files.next; it != &tail->files; it = it->next) {
        struct hf_tail_file *file = hf_container_of(it, struct hf_tail_file, link);
        if (file->ino != st->st_ino || file->dev != st->st_dev)
            continue;
        file->seen = true;
        char *copy = strcmp(file->path, path) != 0 ? strdup(path) : NULL;
        if (copy != NULL) {
            free(file->path);
            file->path = copy;
        }
        return true;
    }
    return false;
}

/* Opens the file at once: later its name may belong to another file. */
void hf_tail_found(struct hf_tail *tail, const char *path, const void *owner)
{
    const struct hf_fs_ops *fs = tail->env->fs;
    struct stat st;

    if (fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0) < 0 || !S_ISREG(st.st_mode) || strlen(path) >= MAX_PATH ||
        see_again(tail, path, &st))
        return;
    int fd = open_file(tail, path, &st);
    if (fd < 0)
        return;
    /* The path may lead to another file than a moment ago. */
    struct hf_tail_file *file = see_again(tail, path, &st) ? NULL : add_file(tail, path, owner, fd, &st, false);
    if (file == NULL) {
        (void)fs->close(fs->ctx, fd);
        return;
    }
    file->seen = true;
    struct saved_position *e = saved_of(tail, &st);
    if (e != NULL)
        take_up(file, e);
}

struct inode_search {
    const struct hf_fs_ops *fs;
    const struct saved_position *e;
    int folder;
    char name[NAME_MAX + 1];
};

static int is_it(void *arg, const char *name, unsigned char type)
{
    struct inode_search *search = arg;
    struct stat st;

    (void)type;
    if (search->fs->fstatat(search->fs->ctx, search->folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        st.st_ino != search->e->ino || st.st_dev != search->e->dev)
        return 0;
    (void)snprintf(search->name, sizeof(search->name), "%s", name);
    return -EEXIST;
}

/* Follows a renamed file; its events keep the old path. True: another file has the same inode number. */
static bool follow_renamed(struct hf_tail *tail, struct saved_position *e, const void *owner, const char *path)
{
    struct stat st;
    int fd = open_file(tail, path, &st);

    if (fd < 0)
        return false;
    uint64_t birth_ns = hf_tail_open_birth_ns(tail->env->fs, fd);
    bool same = st.st_ino == e->ino && st.st_dev == e->dev;
    bool reborn = birth_ns != 0 && e->birth_ns != 0 && birth_ns != e->birth_ns;
    bool other =
        same && (reborn || (e->safe != BEYOND_ANY && hf_tail_open_hash_start(tail->env->fs, fd) != e->start_hash));
    struct hf_tail_file *file = same && !other ? add_file(tail, e->path, owner, fd, &st, true) : NULL;
    if (file != NULL)
        take_up(file, e);
    else
        (void)tail->env->fs->close(tail->env->fs->ctx, fd);
    return other;
}

/* Looks for a renamed file in its folder and forgets it if it is gone, unless the folder's file system is not mounted.
 * One search can miss a file that is just being renamed. */
static void find_renamed(struct hf_tail *tail, struct saved_position *e, const void *owner)
{
    const struct hf_fs_ops *fs = tail->env->fs;
    char folder[MAX_PATH], path[MAX_PATH + NAME_MAX + 2];
    struct stat st;

    (void)hf_dir_of_path(e->path, folder, sizeof(folder));
    int fd = fs->openat(fs->ctx, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd < 0)
        return;
    struct inode_search search = {.fs = fs, .e = e, .folder = fd};
    bool mounted = fs->fstat(fs->ctx, fd, &st) == 0 && st.st_dev == e->dev;
    int r = fs->list(fs->ctx, fd, is_it, &search);
    (void)fs->close(fs->ctx, fd);
    bool gone = r == 0 && mounted && ++e->missed >= LOOKS;
    if (r == -EEXIST) {
        e->missed = 0;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, search.name);
        gone = follow_renamed(tail, e, owner, path);
    }
    if (!gone)
        return;
    log_gone(tail, e->path, e->safe == BEYOND_ANY ? 0 : e->safe, 0);
    forget_saved(e);
    changed(tail, true);
}

/* Files of the earlier process that are not at their path: each may be in the same folder under a name that no pattern
 * matches, and must be read to its end before its successor. Goes backwards, because each moves to the front. */
static void find_all_renamed(struct hf_tail *tail)
{
    for (size_t i = tail->n_saved; i-- > 0;) {
        struct saved_position *e = &tail->saved[i];
        const void *owner = e->path != NULL ? tail->ops->owner(tail->arg, e->path) : NULL;
        if (owner != NULL)
            find_renamed(tail, e, owner);
    }
}

static void find_all(struct hf_tail *tail, uint64_t now_ns)
{
    tail->find_ns = now_ns + HF_TAIL_FIND_S * HF_NS_PER_S;
    for (struct hf_list *it = tail->files.next; it != &tail->files; it = it->next)
        hf_container_of(it, struct hf_tail_file, link)->seen = false;
    tail->ops->find(tail->arg, tail);
    find_all_renamed(tail);
    for (struct hf_list *it = tail->files.next; it != &tail->files; it = it->next) {
        struct hf_tail_file *file = hf_container_of(it, struct hf_tail_file, link);
        if (file->seen)
            file->gone_since_ns = 0;
        else if (file->gone_since_ns == 0)
            file->gone_since_ns = now_ns;
    }
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Starts at offset 0: the file was truncated, or is another one with the same number. */
static void begin_again(struct hf_tail_file *file)
{
    drop_pieces(file);
    forget_state(file);
    file->offset = file->safe = file->mark = file->mark_at = file->safe_mark = file->safe_mark_at = 0;
    if (!file->cut)
        file->before = file->start_hash;
    file->cut = true;
    file->start_hash = 0;
    changed(file->tail, false);
}

/* If the file starts as before the truncation, lines come at the same offsets again; the generation tells them
 * apart. */
static void set_begin(struct hf_tail_file *file, uint64_t start_hash)
{
    if (file->cut && start_hash != 0) {
        file->generation = start_hash == file->before ? file->generation + 1 : 0;
        file->cut = false;
    }
    if (start_hash != file->start_hash)
        /* save its existence soon: it may be renamed before any line of it is durable */
        changed(file->tail, true);
    file->start_hash = start_hash;
}

struct tail_buffer {
    struct hf_tail_file *file;
    struct tail_piece *piece;
    const char *bytes;
    size_t n, at;
    bool full;  /* the buffer is full: more may follow */
    bool quiet; /* no change for a while: nothing more will come soon */
    bool last;  /* the file is deleted: nothing more will come */
};

static struct hf_view line_at(const struct tail_buffer *buffer, size_t at, size_t *ret_next)
{
    const char *end = memchr(buffer->bytes + at, '\n', buffer->n - at);

    if (end == NULL)
        return (struct hf_view){NULL, 0};
    *ret_next = (size_t)(end - buffer->bytes) + 1;
    size_t n = (size_t)(end - buffer->bytes) - at;
    return (struct hf_view){buffer->bytes + at, n > 0 && buffer->bytes[at + n - 1] == '\r' ? n - 1 : n};
}

/* Finds the record that begins at buffer->at: its text and the start of the next one. False: incomplete. */
static bool next_record(const struct tail_buffer *buffer, struct hf_view *ret_text, size_t *ret_next, bool *ret_cut)
{
    const struct hf_tail_ops *ops = buffer->file->tail->ops;
    struct hf_view text = line_at(buffer, buffer->at, ret_next);

    *ret_cut = false;
    if (text.p == NULL && buffer->last && !buffer->full) {
        *ret_text = (struct hf_view){buffer->bytes + buffer->at, buffer->n - buffer->at};
        *ret_next = buffer->n;
        return true;
    }
    if (text.p == NULL) {
        if (!buffer->full || buffer->at > 0)
            return false;
        *ret_text = (struct hf_view){buffer->bytes, buffer->n};
        *ret_next = buffer->n;
        *ret_cut = true;
        return true;
    }
    while (ops->starts != NULL) {
        size_t next;
        struct hf_view line = line_at(buffer, *ret_next, &next);
        if (line.p == NULL) {
            if (!buffer->quiet && !(buffer->full && buffer->at == 0))
                return false;
            *ret_cut = buffer->full && buffer->at == 0;
            break;
        }
        if ((line.n > 0 && line.p[0] == '\0') || ops->starts(buffer->file->tail->arg, buffer->file, line))
            break;
        text.n = (size_t)(line.p - text.p) + line.n;
        *ret_next = next;
    }
    *ret_text = text;
    return true;
}

static int give(struct tail_buffer *buffer, struct hf_view text, bool cut)
{
    struct hf_tail_file *file = buffer->file;
    const struct hf_tail_line line = {
        .file = file, .text = text, .offset = file->offset, .cut = cut, .receipt = &buffer->piece->receipt};

    buffer->piece->lines++;
    return text.n > 0 ? file->tail->ops->line(file->tail->arg, &line) : 0;
}

/* Skips zeros at the start of a line: a hole. Zeros up to the end of the file may yet become lines. */
static bool skip_zeros(struct tail_buffer *buffer)
{
    size_t at = buffer->at;

    while (at < buffer->n && buffer->bytes[at] == '\0')
        at++;
    if (at == buffer->at || (at == buffer->n && !buffer->last && !(buffer->full && buffer->at == 0)))
        return false;
    buffer->file->offset += at - buffer->at;
    buffer->at = at;
    return true;
}

/* Passes the lines of one buffer on. -EAGAIN: no room. */
static int give_lines(struct tail_buffer *buffer)
{
    struct hf_tail_file *file = buffer->file;

    while (buffer->at < buffer->n) {
        struct hf_view text;
        size_t next;
        bool cut;
        if (!file->skipping && skip_zeros(buffer))
            continue;
        if (file->skipping) {
            const char *end = memchr(buffer->bytes + buffer->at, '\n', buffer->n - buffer->at);
            next = end != NULL ? (size_t)(end - buffer->bytes) + 1 : buffer->n;
            file->skipping = end == NULL;
        } else if (!next_record(buffer, &text, &next, &cut)) {
            return 0;
        } else {
            if (give(buffer, text, cut) == -EAGAIN)
                return -EAGAIN;
            file->skipping = cut && buffer->bytes[next - 1] != '\n';
        }
        file->offset += next - buffer->at;
        buffer->at = next;
    }
    return 0;
}

/* Begins a piece at `begin`; its receipt is held. Returns 0, -EAGAIN or -ENOMEM. */
static int add_piece(struct hf_tail_file *file, uint64_t begin, struct tail_piece **ret_piece)
{
    struct hf_tail *tail = file->tail;
    struct tail_piece *piece;

    if (tail->n_pieces >= HF_TAIL_MAX_PIECES)
        return -EAGAIN;
    piece = calloc(1, sizeof(*piece));
    if (piece == NULL)
        return -ENOMEM;
    *piece = (struct tail_piece){.receipt = {.settled = settled}, .tail = tail, .file = file, .begin = begin};
    hf_list_append(&file->pieces, &piece->link);
    tail->n_pieces++;
    hf_receipt_hold(&piece->receipt);
    *ret_piece = piece;
    return 0;
}

/* Ends the piece behind everything that the source has passed on. */
static void end_piece(struct tail_piece *piece)
{
    piece->end = HF_MIN(piece->file->offset, piece->file->hold_offset);
    hf_receipt_release(&piece->receipt, 0);
}

/* Reads one buffer. Returns the number of bytes passed on; 0: no whole line; -EAGAIN: no room; or -errno. */
static ssize_t read_piece(struct hf_tail_file *file, char *bytes, uint64_t now_ns)
{
    struct hf_tail *tail = file->tail;
    struct tail_piece *piece;
    uint64_t begin = file->offset;
    ssize_t n = tail->env->fs->pread(tail->env->fs->ctx, file->fd, bytes, HF_TAIL_MAX_LINE, begin);

    if (n <= 0)
        return n;
    int r = add_piece(file, begin, &piece);
    if (r < 0)
        return r;
    struct tail_buffer buffer = {.file = file,
                                 .piece = piece,
                                 .bytes = bytes,
                                 .n = (size_t)n,
                                 .full = n == HF_TAIL_MAX_LINE,
                                 .quiet = file->quiet_since_ns != 0 &&
                                          now_ns - file->quiet_since_ns >= LOOK_S * HF_NS_PER_S};
    buffer.last =
        buffer.quiet && file->gone_since_ns != 0 && now_ns - file->gone_since_ns >= HF_TAIL_GONE_S / 2 * HF_NS_PER_S;
    r = give_lines(&buffer);
    ssize_t forward = (ssize_t)(file->offset - begin);
    end_piece(piece);
    return r < 0 ? r : forward;
}

/* Has the source pass on an incomplete record, because its rest does not come. -EAGAIN: no room. */
static int give_rest(struct hf_tail_file *file)
{
    struct tail_piece *piece;
    int r = add_piece(file, file->hold_offset, &piece);

    if (r < 0)
        return r;
    piece->lines = 1;
    r = file->tail->ops->rest(file->tail->arg, file, &piece->receipt);
    end_piece(piece);
    return r;
}

/* True if the file is not the one any more that was read up to the offset. */
static bool is_another(const struct hf_tail_file *file, uint64_t size, uint64_t start_hash)
{
    return size < file->offset || (file->start_hash != 0 && start_hash != file->start_hash) || !holds_mark(file);
}

/* Begins again with what is another file now, or what was truncated or written anew. */
static void replace(struct hf_tail_file *file, bool first_look)
{
    uint64_t unread = file->size - HF_MIN(file->offset, file->size);

    /* If the file was read to its end at the last look, it loses what came within a second at most. */
    if (file->offset != BEYOND_ANY && file->offset > 0 && (first_look || unread > 0))
        log_gone(file->tail, file->path, file->offset, unread);
    begin_again(file);
}

/* Checks the file's size and start; notices a truncation. False: nothing to read. */
static bool refresh(struct hf_tail_file *file, uint64_t now_ns)
{
    const struct hf_fs_ops *fs = file->tail->env->fs;
    struct stat st;

    if (now_ns < file->not_before_ns)
        return false;
    if (fs->fstat(fs->ctx, file->fd, &st) < 0)
        return false;
    bool first_look = !file->looked_at, touched = first_look || st.st_ctim.tv_sec != file->changed.tv_sec ||
                                                  st.st_ctim.tv_nsec != file->changed.tv_nsec;
    file->changed = st.st_ctim;
    if ((uint64_t)st.st_size == file->size && !first_look && (!touched || holds_mark(file))) {
        if (file->quiet_since_ns == 0)
            file->quiet_since_ns = now_ns;
        return file->start_hash != 0 && file->offset < file->size;
    }
    file->looked_at = true;
    file->quiet_since_ns = 0;
    uint64_t start_hash = hf_tail_open_hash_start(fs_of(file), file->fd);
    if (is_another(file, (uint64_t)st.st_size, start_hash))
        replace(file, first_look);
    file->size = (uint64_t)st.st_size;
    set_begin(file, start_hash);
    return start_hash != 0 && file->offset < file->size;
}

/* If another file is at its path, searches for files at once. */
static void notice_rotation(struct hf_tail_file *file)
{
    const struct hf_fs_ops *fs = file->tail->env->fs;
    struct stat st;

    if (file->gone_since_ns == 0 && fs->fstatat(fs->ctx, AT_FDCWD, file->path, &st, 0) == 0 && st.st_ino != file->ino)
        file->tail->find_ns = 0;
}

static bool is_over(const struct hf_tail_file *file, uint64_t now_ns)
{
    return file->gone_since_ns != 0 && hf_list_empty(&file->pieces) &&
           (file->start_hash == 0 || file->offset >= file->size) &&
           now_ns - file->gone_since_ns >= HF_TAIL_GONE_S * HF_NS_PER_S && file->quiet_since_ns != 0 &&
           now_ns - file->quiet_since_ns >= HF_TAIL_GONE_S * HF_NS_PER_S;
}

/* True if the rest of an incomplete record does not come. Requires that all of the file has been read. */
static bool waits_in_vain(const struct hf_tail_file *file, uint64_t now_ns)
{
    if (file->hold_offset == UINT64_MAX || file->tail->ops->rest == NULL || file->quiet_since_ns == 0)
        return false;
    return is_over(file, now_ns) || now_ns - file->quiet_since_ns >= HF_TAIL_REST_S * HF_NS_PER_S;
}

static void arm(struct hf_tail *tail, uint64_t delay_ns)
{
    hf_timer_arm(tail->env->sched, tail->timer, delay_ns);
}

/* Reads each file in turn, until nothing remains or the turn is used up. Checks all files even without room. */
static int read_all(struct hf_tail *tail, uint64_t now_ns, size_t *ret_left)
{
    _cleanup_(hf_freep) char *bytes = NULL;
    struct hf_list *it, *following;
    bool room = true;

    hf_list_each(it, following, &tail->files) {
        struct hf_tail_file *file = hf_container_of(it, struct hf_tail_file, link);
        bool more = refresh(file, now_ns);
        notice_rotation(file);
        ssize_t n = 1;
        while (room && more && n > 0 && *ret_left > 0) {
            if (bytes == NULL && (bytes = malloc(HF_TAIL_MAX_LINE)) == NULL)
                return -ENOMEM;
            n = read_piece(file, bytes, now_ns);
            room = n != -EAGAIN;
            *ret_left -= HF_MIN(*ret_left, n > 0 ? (size_t)n : 0);
        }
        set_mark(file);
        if (room && (n == 0 || file->offset >= file->size) && waits_in_vain(file, now_ns))
            room = give_rest(file) != -EAGAIN;
        if (is_over(file, now_ns) && file->hold_offset == UINT64_MAX)
            drop_file(file);
    }
    return room ? 0 : -EAGAIN;
}

static void look(void *arg)
{
    struct hf_tail *tail = arg;
    uint64_t now_ns = hf_mono_ns(tail->env->clock);
    size_t left = HF_TAIL_TURN_BYTES;

    if (now_ns >= tail->find_ns)
        find_all(tail, now_ns);
    int r = read_all(tail, now_ns, &left);
    /* Without room resume() continues; this check later does no harm. */
    arm(tail, r == 0 && (left == 0 || tail->find_ns == 0) ? 0 : LOOK_S * HF_NS_PER_S);
}

/* ---- what became of it ------------------------------------------------------------------------------------------- */

static void go_back(struct hf_tail_file *file, uint64_t offset)
{
    drop_pieces(file);
    forget_state(file);
    file->offset = HF_MIN(file->offset, offset);
    set_mark(file);
    file->not_before_ns = hf_mono_ns(file->tail->env->clock) + AGAIN_S * HF_NS_PER_S;
}

static void advance(struct hf_tail_file *file)
{
    while (!hf_list_empty(&file->pieces)) {
        struct tail_piece *first = hf_container_of(file->pieces.next, struct tail_piece, link);
        if (!first->done)
            return;
        if (first->end != file->safe) {
            file->safe = first->end;
            file->tail->unsaved += first->lines;
            changed(file->tail, file->tail->unsaved >= HF_POSITION_MAX_UNSAVED);
        }
        hf_list_remove(&first->link);
        free(first);
    }
}

static void settled(struct hf_receipt *receipt)
{
    struct tail_piece *piece = hf_container_of(receipt, struct tail_piece, receipt);
    struct hf_tail *tail = piece->tail;
    struct hf_tail_file *file = piece->file;

    if (tail != NULL) {
        if (tail->n_pieces-- == HF_TAIL_MAX_PIECES)
            arm(tail, 0); /* reading had stopped at the limit */
    }
    if (file == NULL) {
        if (tail != NULL)
            hf_list_remove(&piece->link); /* in tail->stale */
        free(piece);
        return;
    }
    piece->done = true;
    if (receipt->r < 0) {
        uint64_t begin = HF_MIN(file->safe, piece->begin);
        hf_list_remove(&piece->link);
        free(piece);
        go_back(file, begin);
    } else {
        advance(file);
    }
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

void hf_tail_resume(struct hf_tail *tail)
{
    arm(tail, 0);
}

int hf_tail_new(const struct hf_telemetry_env *env, const char *name, const struct hf_tail_ops *ops, void *arg,
                struct hf_tail **ret_tail, struct hf_err *err)
{
    struct hf_tail *tail = calloc(1, sizeof(*tail));

    if (tail == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    tail->env = env;
    tail->ops = ops;
    tail->arg = arg;
    hf_list_init(&tail->files);
    hf_list_init(&tail->stale);
    tail->position = hf_position_new(env, name);
    tail->timer = hf_timer_new(env->sched, look, tail);
    if (tail->position == NULL || tail->timer == NULL || load_positions(tail) < 0) {
        hf_tail_free(tail);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    arm(tail, 0);
    *ret_tail = tail;
    return 0;
}

/* Their receipts free them. */
static void orphan(struct hf_list *pieces)
{
    while (!hf_list_empty(pieces)) {
        struct tail_piece *piece = hf_container_of(pieces->next, struct tail_piece, link);
        hf_list_remove(&piece->link);
        piece->tail = NULL;
        piece->file = NULL;
        if (piece->done)
            free(piece);
    }
}

void hf_tail_free(struct hf_tail *tail)
{
    struct hf_list *it, *following;

    if (tail == NULL)
        return;
    hf_position_free(tail->position);
    hf_list_each(it, following, &tail->files) {
        orphan(&hf_container_of(it, struct hf_tail_file, link)->pieces);
        drop_file(hf_container_of(it, struct hf_tail_file, link));
    }
    orphan(&tail->stale);
    for (size_t i = 0; i < tail->n_saved; i++)
        free(tail->saved[i].path);
    free(tail->saved);
    hf_timer_free(tail->env->sched, tail->timer);
    free(tail);
}
