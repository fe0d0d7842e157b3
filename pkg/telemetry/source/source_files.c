/* SPDX-License-Identifier: Apache-2.0 */
/* The source `files`: text files that programs write. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/dir.h"
#include "telemetry/event/match.h"
#include "telemetry/source/source_common.h"
#include "telemetry/source/tail.h"

enum { MAX_FOLDER = 1024, SCRATCH = 128 << 10 };

struct spec {
    char *folder, *pattern;
    bool json;
    char *starts; /* glob of the first line of a record; NULL: each line is a record */
    enum hf_severity severity;
};

struct files {
    struct hf_source source;
    const struct hf_telemetry_env *env;
    const struct hf_intake *intake;
    struct hf_tail *tail;
    struct spec specs[HF_TELEMETRY_MAX_FILES];
    size_t n_specs;
    struct hf_buf scratch;
};

/* ---- which ------------------------------------------------------------------------------------------------------- */

struct finding {
    struct hf_tail *tail;
    const struct spec *spec;
};

static int visit(void *arg, const char *name, unsigned char type)
{
    const struct finding *finding = arg;
    char path[MAX_FOLDER + 256];

    (void)type;
    if (fnmatch(finding->spec->pattern, name, FNM_PERIOD) != 0)
        return 0;
    int n = snprintf(path, sizeof(path), "%s/%s", finding->spec->folder, name);
    if (n > 0 && (size_t)n < sizeof(path))
        hf_tail_found(finding->tail, path, finding->spec);
    return 0;
}

static void find(void *arg, struct hf_tail *tail)
{
    const struct files *files = arg;
    const struct hf_fs_ops *fs = files->env->fs;

    for (size_t i = 0; i < files->n_specs; i++) {
        struct finding finding = {.tail = tail, .spec = &files->specs[i]};
        int fd =
            fs->openat(fs->ctx, AT_FDCWD, files->specs[i].folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
        if (fd < 0)
            continue; /* not there yet */
        (void)fs->list(fs->ctx, fd, visit, &finding);
        (void)fs->close(fs->ctx, fd);
    }
}

static const void *owner(void *arg, const char *path)
{
    const struct files *files = arg;
    char folder[MAX_FOLDER];
    const char *name = hf_dir_of_path(path, folder, sizeof(folder));

    for (size_t i = 0; i < files->n_specs; i++)
        if (strcmp(files->specs[i].folder, folder) == 0 && fnmatch(files->specs[i].pattern, name, FNM_PERIOD) == 0)
            return &files->specs[i];
    return NULL;
}

static bool allows(void *arg, const char *path)
{
    const struct files *files = arg;

    return hf_config_allows_file(files->env->config, files->env->scope, path);
}

/* ---- what -------------------------------------------------------------------------------------------------------- */

/* In multi-line mode: true if the line begins a record. Else every line does. */
static bool starts(HF_UNUSED void *arg, const struct hf_tail_file *file, struct hf_view line)
{
    const struct spec *spec = file->owner;

    return spec->starts == NULL || hf_match_glob(spec->starts, line);
}

static int take_line(void *arg, const struct hf_tail_line *line)
{
    struct files *files = arg;
    const struct spec *spec = line->file->owner;
    char id[HF_TAIL_ID], name[MAX_FOLDER + 264];
    int n = snprintf(name, sizeof(name), "file:%s", line->file->path);
    struct hf_event event = {
        .kind = HF_EVENT_LOG,
        .source_class = HF_SOURCE_FILE,
        .unix_ns = hf_unix_ns(files->env->clock),
        .id = hf_tail_id(line->file, line->offset, line->text, id),
        .source = {name, HF_MIN((size_t)n, sizeof(name) - 1)},
        .body = line->text,
        .truncated = line->cut,
    };

    if (!spec->json || !hf_source_parse_json_line(line->text, &event, &files->scratch))
        event.severity = hf_source_line_severity(line->text);
    if (event.severity == 0)
        event.severity = spec->severity != 0 ? spec->severity : HF_SEVERITY_INFO;
    return hf_source_offer(files->intake, &event, line->receipt);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void resume(struct hf_source *source)
{
    hf_tail_resume(hf_container_of(source, struct files, source)->tail);
}

static void files_free(struct hf_source *source)
{
    struct files *files = hf_container_of(source, struct files, source);

    hf_tail_free(files->tail);
    for (size_t i = 0; i < files->n_specs; i++) {
        free(files->specs[i].folder);
        free(files->specs[i].pattern);
        free(files->specs[i].starts);
    }
    hf_buf_done(&files->scratch);
    free(files);
}

static int copy_spec(struct files *files, const struct hf_telemetry_file *from, struct hf_err *err)
{
    struct spec *spec = &files->specs[files->n_specs];
    char folder[MAX_FOLDER];

    if (from->path[0] != '/' || strlen(from->path) >= sizeof(folder))
        return hf_err_set(err, EINVAL, "cannot follow path '%.200s'", from->path);
    files->n_specs++;
    spec->pattern = strdup(hf_dir_of_path(from->path, folder, sizeof(folder)));
    spec->folder = strdup(folder);
    spec->json = from->json;
    spec->severity = from->severity;
    spec->starts = from->multiline_start != NULL ? strdup(from->multiline_start) : NULL;
    bool all = spec->pattern != NULL && spec->folder != NULL && !spec->starts == !from->multiline_start;
    return all ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

int hf_source_files_new(const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                        const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err)
{
    static const struct hf_tail_ops plain = {.find = find, .owner = owner, .allows = allows, .line = take_line};
    static const struct hf_tail_ops multiline = {
        .find = find, .owner = owner, .allows = allows, .line = take_line, .starts = starts};
    struct files *files = calloc(1, sizeof(*files));
    bool any_multiline = false;
    int r = 0;

    if (files == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    files->source = (struct hf_source){.name = "files", .resume = resume, .free = files_free};
    files->env = env;
    files->intake = intake;
    files->scratch = (struct hf_buf)HF_BUF_INIT(SCRATCH);
    for (size_t i = 0; i < sources->n_files && i < HF_TELEMETRY_MAX_FILES && r == 0; i++) {
        r = copy_spec(files, &sources->files[i], err);
        any_multiline |= sources->files[i].multiline_start != NULL;
    }
    if (r == 0)
        r = hf_tail_new(env, "files", any_multiline ? &multiline : &plain, files, &files->tail, err);
    if (r < 0) {
        files_free(&files->source);
        return r;
    }
    *ret_source = &files->source;
    return 0;
}
