/* SPDX-License-Identifier: Apache-2.0 */
/* The source `containers`: the kubelet's files below /var/log/pods, with the pod's names from the path. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/dir.h"
#include "os/walk.h"
#include "telemetry/source/cri.h"
#include "telemetry/source/source_common.h"
#include "telemetry/source/tail.h"

enum { MAX_PATH = 1024, STREAMS = 2 };

struct containers {
    struct hf_source source;
    const struct hf_telemetry_env *env;
    const struct hf_intake *intake;
    struct hf_tail *tail;
    struct hf_source_names include, exclude; /* namespaces */
    const char *pods;
    char real_pods[MAX_PATH]; /* `pods` without links; "" before the first search */
    struct hf_buf scratch;
};

/* State of a file with incomplete lines: the parts of each stream so far. */
struct parts {
    struct {
        struct hf_buf text;
        uint64_t offset, unix_ns;
        bool open, cut;
    } streams[STREAMS];
};

/* ---- which ------------------------------------------------------------------------------------------------------- */

struct pod_walk {
    const struct containers *containers;
    struct hf_tail *tail;
    int fd;
    unsigned depth;
    char path[MAX_PATH];
    size_t n;
};

static bool is_log(const char *name)
{
    size_t digits = strspn(name, "0123456789");

    return digits > 0 && strcmp(name + digits, ".log") == 0;
}

static bool wants_pod(const struct containers *containers, const char *folder)
{
    struct hf_cri_pod pod;
    char space[256];

    if (!hf_cri_pod_parse(hf_view_of(folder), &pod) || pod.space.n >= sizeof(space))
        return false;
    (void)snprintf(space, sizeof(space), "%.*s", (int)pod.space.n, pod.space.p);
    return hf_source_name_wanted((const char *const *)containers->include.names,
                                 (const char *const *)containers->exclude.names, space);
}

static int visit(void *arg, const char *name, unsigned char type);

static void walk_into(struct pod_walk *walk)
{
    const struct hf_fs_ops *fs = walk->containers->env->fs;
    struct pod_walk inner = *walk;

    inner.fd = fs->openat(fs->ctx, AT_FDCWD, walk->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0, HF_FS_ANY);
    if (inner.fd < 0)
        return;
    (void)fs->list(fs->ctx, inner.fd, visit, &inner);
    (void)fs->close(fs->ctx, inner.fd);
}

/* pods / <pod> / <container> / <n>.log */
static int visit(void *arg, const char *name, unsigned char type)
{
    struct pod_walk *walk = arg;
    size_t n = strlen(name), before = walk->n;

    (void)type;
    if ((walk->depth == 0 && !wants_pod(walk->containers, name)) || (walk->depth == 2 && !is_log(name)) ||
        before + n + 2 > sizeof(walk->path))
        return 0;
    walk->n += (size_t)snprintf(walk->path + before, sizeof(walk->path) - before, "/%s", name);
    walk->depth++;
    if (walk->depth == 3)
        hf_tail_found(walk->tail, walk->path, walk->containers);
    else
        walk_into(walk);
    walk->depth--;
    walk->n = before;
    walk->path[before] = '\0';
    return 0;
}

/* Notes where the folder of pods is, because the administrator may have moved it and left a link. */
static void find_pods(struct containers *containers)
{
    const struct hf_fs_ops *fs = containers->env->fs;
    char any[MAX_PATH];
    struct hf_walk walk;

    (void)snprintf(any, sizeof(any), "%.*s/x", MAX_PATH - 3, containers->pods);
    if (hf_walk_to(fs, any, &walk, NULL) < 0)
        return;
    (void)hf_dir_of_path(walk.path, containers->real_pods, sizeof(containers->real_pods));
    hf_walk_done(fs, &walk);
}

static void find(void *arg, struct hf_tail *tail)
{
    struct containers *containers = arg;
    struct pod_walk walk = {.containers = containers, .tail = tail};

    find_pods(containers);

    walk.n = strlen(containers->pods);
    if (walk.n >= sizeof(walk.path))
        return;
    memcpy(walk.path, containers->pods, walk.n + 1);
    walk_into(&walk);
}

static const void *owner(void *arg, const char *path)
{
    const struct containers *containers = arg;
    size_t n = strlen(containers->pods);
    char pod[MAX_PATH];

    if (strncmp(path, containers->pods, n) != 0 || path[n] != '/')
        return NULL;
    (void)snprintf(pod, sizeof(pod), "%.*s", (int)strcspn(path + n + 1, "/"), path + n + 1);
    return wants_pod(containers, pod) ? containers : NULL;
}

static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* Some container runtimes keep the files in a folder of their own and make links below the folder of pods. */
static bool allows(void *arg, const char *path)
{
    const struct containers *containers = arg;
    static const char *const runtimes[] = {"/var/lib/docker/containers", "/var/lib/containers"};

    for (size_t i = 0; i < HF_LEN(runtimes); i++)
        if (is_below(path, runtimes[i]))
            return true;
    return (containers->real_pods[0] != '\0' && is_below(path, containers->real_pods)) ||
           hf_config_allows_file(containers->env->config, containers->env->scope, path);
}

/* ---- what -------------------------------------------------------------------------------------------------------- */

static void forget(HF_UNUSED void *arg, struct hf_tail_file *file)
{
    struct parts *parts = file->state;

    for (int i = 0; i < STREAMS; i++)
        hf_buf_done(&parts->streams[i].text);
    free(parts);
}

static void add_attribute(struct hf_event *event, struct hf_view name, struct hf_view value)
{
    event->attributes[event->n_attributes++] = (struct hf_attribute){name, value};
}

/* Adds the pod's names from the path: pods/<ns>_<pod>_<uid>/<container>/<n>.log */
static bool add_names(struct hf_event *event, const char *path, char *source, size_t n)
{
    const char *file = strrchr(path, '/'), *container = file, *folder;
    struct hf_cri_pod pod;

    while (container > path && container[-1] != '/')
        container--;
    folder = container - 1;
    while (folder > path && folder[-1] != '/')
        folder--;
    if (container - 1 <= folder || !hf_cri_pod_parse((struct hf_view){folder, (size_t)(container - 1 - folder)}, &pod))
        return false;
    const struct hf_view name = {container, (size_t)(file - container)};
    int used = snprintf(source, n, "container:%.*s/%.*s/%.*s", (int)pod.space.n, pod.space.p, (int)pod.name.n,
                        pod.name.p, (int)name.n, name.p);
    event->source = (struct hf_view){source, HF_MIN((size_t)used, n - 1)};
    add_attribute(event, HF_VIEW("k8s.namespace.name"), pod.space);
    add_attribute(event, HF_VIEW("k8s.pod.name"), pod.name);
    add_attribute(event, HF_VIEW("k8s.pod.uid"), pod.uid);
    add_attribute(event, HF_VIEW("k8s.container.name"), name);
    add_attribute(event, HF_VIEW("k8s.container.restart_count"),
                  (struct hf_view){file + 1, strspn(file + 1, "0123456789")});
    return true;
}

static int offer(struct containers *containers, const struct hf_tail_line *line, const struct hf_cri_line *cri,
                 uint64_t offset, bool cut)
{
    char id[HF_TAIL_ID], source[MAX_PATH];
    struct hf_event event = {
        .kind = HF_EVENT_LOG,
        .source_class = HF_SOURCE_CONTAINER,
        .severity = hf_source_line_severity(cri->text),
        .unix_ns = cri->unix_ns,
        .id = hf_tail_id(line->file, offset, cri->text, id),
        .body = cri->text,
        .truncated = cut,
    };

    if (!add_names(&event, line->file->path, source, sizeof(source)))
        return 0;
    if (!cri->foreign)
        add_attribute(&event, HF_VIEW("log.iostream"), cri->is_stderr ? HF_VIEW("stderr") : HF_VIEW("stdout"));
    if (event.severity == 0)
        event.severity = HF_SEVERITY_INFO;
    return hf_source_offer(containers->intake, &event, line->receipt);
}

static struct parts *parts_of(struct hf_tail_file *file)
{
    struct parts *parts = file->state;

    if (parts == NULL && (parts = calloc(1, sizeof(*parts))) != NULL) {
        for (int i = 0; i < STREAMS; i++)
            parts->streams[i].text.max = HF_TAIL_MAX_LINE;
        file->state = parts;
    }
    return parts;
}

/* The earliest incomplete line holds the file's position. */
static void hold(struct hf_tail_file *file, const struct parts *parts)
{
    file->hold_offset = UINT64_MAX;
    for (int i = 0; i < STREAMS; i++)
        if (parts->streams[i].open)
            file->hold_offset = HF_MIN(file->hold_offset, parts->streams[i].offset);
}

static void add_part(struct parts *parts, int which, const struct hf_tail_line *line, const struct hf_cri_line *cri)
{
    struct hf_buf *text = &parts->streams[which].text;
    size_t room = text->max - text->n, n = HF_MIN(cri->text.n, room);

    if (!parts->streams[which].open) {
        parts->streams[which].open = true;
        parts->streams[which].cut = false;
        parts->streams[which].offset = line->offset;
        parts->streams[which].unix_ns = cri->unix_ns;
    }
    parts->streams[which].cut |= n < cri->text.n || line->cut;
    if (hf_buf_add(text, cri->text.p, n) < 0)
        parts->streams[which].cut = true;
}

static void close_line(struct parts *parts, int which)
{
    parts->streams[which].open = false;
    hf_buf_done(&parts->streams[which].text);
}

static int take_line(void *arg, const struct hf_tail_line *line)
{
    struct containers *containers = arg;
    struct hf_cri_line cri;
    int which;

    if (!hf_cri_parse(line->text, &cri) && !hf_cri_parse_docker(line->text, &containers->scratch, &cri))
        cri = (struct hf_cri_line){.foreign = true, .unix_ns = hf_unix_ns(containers->env->clock), .text = line->text};
    if (cri.foreign) /* another program wrote it: keep the line as it is */
        return offer(containers, line, &cri, line->offset, line->cut);
    which = cri.is_stderr;
    struct parts *parts = line->file->state;
    bool open = parts != NULL && parts->streams[which].open;
    if (!cri.partial && !open)
        return offer(containers, line, &cri, line->offset, line->cut);
    parts = parts_of(line->file);
    if (parts == NULL)
        return -EAGAIN;
    size_t before = parts->streams[which].text.n;
    add_part(parts, which, line, &cri);
    if (!cri.partial) {
        cri.text = hf_buf_view(&parts->streams[which].text);
        cri.unix_ns = parts->streams[which].unix_ns;
        int r = offer(containers, line, &cri, parts->streams[which].offset, parts->streams[which].cut);
        if (r < 0) {
            parts->streams[which].text.n = before; /* the last part comes again */
            return r;
        }
        close_line(parts, which);
    }
    hold(line->file, parts);
    return 0;
}

/* The runtime marks the last words of a container as a part if they end without a line break, and no other part
 * follows. */
static int take_rest(void *arg, struct hf_tail_file *file, struct hf_receipt *receipt)
{
    const struct hf_tail_line line = {.file = file, .receipt = receipt};
    struct parts *parts = file->state;
    int r = 0;

    for (int i = 0; parts != NULL && i < STREAMS && r == 0; i++) {
        const struct hf_cri_line cri = {
            .unix_ns = parts->streams[i].unix_ns, .is_stderr = i == 1, .text = hf_buf_view(&parts->streams[i].text)};
        if (!parts->streams[i].open)
            continue;
        r = offer(arg, &line, &cri, parts->streams[i].offset, parts->streams[i].cut);
        if (r == 0)
            close_line(parts, i);
    }
    if (parts != NULL)
        hold(file, parts);
    return r;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void resume(struct hf_source *source)
{
    hf_tail_resume(hf_container_of(source, struct containers, source)->tail);
}

static void containers_free(struct hf_source *source)
{
    struct containers *containers = hf_container_of(source, struct containers, source);

    hf_tail_free(containers->tail);
    hf_source_names_done(&containers->include);
    hf_source_names_done(&containers->exclude);
    hf_buf_done(&containers->scratch);
    free(containers);
}

int hf_source_containers_new(const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                             const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err)
{
    static const struct hf_tail_ops ops = {
        .find = find, .owner = owner, .allows = allows, .line = take_line, .rest = take_rest, .forget = forget};
    struct containers *containers = calloc(1, sizeof(*containers));
    int r;

    if (containers == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    containers->source = (struct hf_source){.name = "containers", .resume = resume, .free = containers_free};
    containers->env = env;
    containers->intake = intake;
    containers->pods = env->pods;
    containers->scratch = (struct hf_buf)HF_BUF_INIT(HF_TAIL_MAX_LINE);
    r = hf_source_names_copy(&containers->include, sources->namespaces);
    if (r == 0)
        r = hf_source_names_copy(&containers->exclude, sources->no_namespaces);
    if (r < 0)
        (void)hf_err_set(err, ENOMEM, "out of memory");
    else
        r = hf_tail_new(env, "containers", &ops, containers, &containers->tail, err);
    if (r < 0) {
        containers_free(&containers->source);
        return r;
    }
    *ret_source = &containers->source;
    return 0;
}
