/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "alone/impl.h"
#include "os/dir.h"
#include "os/file.h"

#define SYSTEMD_RUN "/usr/bin/systemd-run"
#define SYSTEMCTL "/usr/bin/systemctl"
#define CRICTL_CONFIG "crictl.yaml"

enum { MAX_ARGS = 32, MAX_CRI_JSON = 4 << 20, TIMEOUT_S = 30, CRICTL_FIRST = 7 };

struct command {
    const char *argv[MAX_ARGS];
    char text[4][1100];
};

static void acted(void *arg, int r, int exit_code, struct hf_view output)
{
    struct hf_alone *alone = arg;

    alone->running = NULL;
    alone->acted(alone, r == 0 && exit_code == 0, output);
}

static int spawn(struct hf_alone *alone, const struct command *command)
{
    struct hf_err err = HF_ERR_INIT;
    const struct hf_proc_request request = {
        .argv = command->argv,
        .timeout_ns = TIMEOUT_S * HF_NS_PER_S,
        .max_output = MAX_CRI_JSON,
        .done = acted,
        .arg = alone,
    };

    return alone->p.proc->spawn(alone->p.proc->ctx, &request, &alone->running, &err);
}

/* `crictl` with its own configuration, so that none of the node's makes it pull images. */
static size_t begin_crictl(struct hf_alone *alone, struct command *command)
{
    const char **argv = command->argv;

    (void)snprintf(command->text[0], sizeof(command->text[0]), "%s/" CRICTL_CONFIG, alone->folder);
    (void)snprintf(command->text[1], sizeof(command->text[1]), "unix://%s", alone->socket);
    argv[0] = alone->place->crictl;
    argv[1] = "--config";
    argv[2] = command->text[0];
    argv[3] = "--runtime-endpoint";
    argv[4] = argv[6] = command->text[1];
    argv[5] = "--image-endpoint";
    return CRICTL_FIRST;
}

static int list(struct hf_alone *alone)
{
    struct command command = {.argv = {NULL}};
    size_t n = begin_crictl(alone, &command);

    command.argv[n++] = alone->step.container == 0 ? "pods" : "ps";
    command.argv[n++] = "-o";
    command.argv[n++] = "json";
    if (alone->step.container != 0)
        command.argv[n++] = "-a";
    return spawn(alone, &command);
}

static int remove_one(struct hf_alone *alone, const char *verb)
{
    struct command command = {.argv = {NULL}};
    size_t n = begin_crictl(alone, &command);

    command.argv[n++] = verb;
    command.argv[n++] = "-f";
    command.argv[n++] = alone->step.id;
    return spawn(alone, &command);
}

/* Written before each use: no power cut can have left half of it. */
static int write_json(struct hf_alone *alone, const json_t *json, const char *name, char *path, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_CRI_JSON);
    int r = hf_json_format(json, &text);

    (void)snprintf(path, n, "%s/%s", alone->folder, name);
    return r < 0 ? r : hf_file_replace(alone->p.world.fs, path, text.p, text.n, 0600, NULL);
}

static int prepare_host(struct hf_alone *alone, const struct hf_alone_pod *pod, struct hf_err *err)
{
    const struct hf_fs_ops *fs = alone->p.world.fs;
    struct stat st;

    for (size_t i = 0; i < json_array_size(pod->needs); i++) {
        const char *path = json_string_value(json_array_get(pod->needs, i));
        if (fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0) < 0)
            return hf_err_set(err, ENOENT, "hostPath '%.200s' does not exist", path);
    }
    for (size_t i = 0; i < json_array_size(pod->folders); i++) {
        const char *path = json_string_value(json_array_get(pod->folders, i));
        struct stat folder;
        int r = hf_dir_make(fs, path, 0755, err), fd;
        if (r < 0)
            return r;
        /* whoever the container runs as writes there; the folders above are root's alone */
        fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0, HF_FS_ANY);
        if (fd < 0 || fs->fstat(fs->ctx, fd, &folder) < 0)
            return hf_err_set(err, EIO, "open '%.200s'", path);
        r = fs->fchmod(fs->ctx, fd, 0777);
        (void)fs->close(fs->ctx, fd);
        if (r < 0)
            return hf_err_sys(err, r, "open '%.200s' for its pod", path);
    }
    return 0;
}

static int run_sandbox(struct hf_alone *alone, struct hf_err *err)
{
    const struct hf_alone_pod *pod = &alone->wishes[alone->step.wish]->pod;
    struct command command = {.argv = {NULL}};
    size_t n = begin_crictl(alone, &command);
    int r = prepare_host(alone, pod, err);

    if (r == 0)
        r = write_json(alone, pod->sandbox, "sandbox.json", command.text[2], sizeof(command.text[2]));
    if (r < 0)
        return r;
    command.argv[n++] = "runp";
    command.argv[n++] = command.text[2];
    return spawn(alone, &command);
}

static int create(struct hf_alone *alone)
{
    const struct hf_alone_pod *pod = &alone->wishes[alone->step.wish]->pod;
    struct command command = {.argv = {NULL}};
    size_t n = begin_crictl(alone, &command);
    int r = write_json(alone, pod->sandbox, "sandbox.json", command.text[2], sizeof(command.text[2]));

    if (r == 0)
        r = write_json(alone, pod->containers[alone->step.container].config, "container.json", command.text[3],
                       sizeof(command.text[3]));
    if (r < 0)
        return r;
    command.argv[n++] = "create";
    command.argv[n++] = alone->step.id;
    command.argv[n++] = command.text[3];
    command.argv[n++] = command.text[2];
    return spawn(alone, &command);
}

static int start(struct hf_alone *alone)
{
    struct command command = {.argv = {NULL}};
    size_t n = begin_crictl(alone, &command);

    command.argv[n++] = "start";
    command.argv[n++] = alone->step.id;
    return spawn(alone, &command);
}

/* A unit of systemd outlives this process and its end by kill -9; KillMode=process leaves the shims to the next one.
 * The kubelet of K3s starts its first pods by our containerd (step.c): while one of their shims runs, systemd keeps the
 * unit, dead. */
static int start_runtime(struct hf_alone *alone)
{
    static const char *const fixed[] = {SYSTEMD_RUN,
                                        "--quiet",
                                        "--collect",
                                        "--unit",
                                        ALONE_UNIT,
                                        "--description=containerd, started by holdfast while no kubelet comes",
                                        "--property=KillMode=process",
                                        "--property=Delegate=yes",
                                        "--property=TimeoutStopSec=5s",
                                        "--property=OOMScoreAdjust=-999",
                                        "--property=LimitNOFILE=1048576",
                                        "--property=TasksMax=infinity"};
    static const struct command again = {.argv = {SYSTEMCTL, "start", ALONE_UNIT, NULL}};
    const struct hf_alone_place *place = alone->place;
    struct command command = {.argv = {NULL}};
    size_t n = HF_LEN(fixed);

    if (alone->own_loaded)
        return spawn(alone, &again);
    memcpy(command.argv, fixed, sizeof(fixed));
    (void)snprintf(command.text[0], sizeof(command.text[0]), "--setenv=PATH=%s", place->path);
    command.argv[n++] = command.text[0];
    command.argv[n++] = place->containerd;
    command.argv[n++] = "--config";
    command.argv[n++] = place->config;
    command.argv[n++] = "--address";
    command.argv[n++] = alone->socket;
    if (place->root != NULL) {
        command.argv[n++] = "--root";
        command.argv[n++] = place->root;
        command.argv[n++] = "--state";
        command.argv[n++] = place->state;
    }
    return spawn(alone, &command);
}

static int stop_runtime(struct hf_alone *alone)
{
    const struct command command = {.argv = {SYSTEMCTL, "stop", ALONE_UNIT, NULL}};

    return spawn(alone, &command);
}

/* <state>/alone tells every later process that something of ours may be left; so it is durable before anything is. */
static int mark(struct hf_alone *alone, struct hf_err *err)
{
    static const char config[] = "pull-image-on-create: false\n";
    char path[1100];
    int r;

    if (alone->marked)
        return 0;
    (void)snprintf(path, sizeof(path), "%s/" CRICTL_CONFIG, alone->folder);
    r = hf_dir_make(alone->p.world.fs, alone->folder, 0700, err);
    if (r == 0)
        r = hf_file_replace(alone->p.world.fs, path, config, sizeof(config) - 1, 0600, err);
    alone->marked = r == 0;
    return r;
}

static int dispatch(struct hf_alone *alone, struct hf_err *err)
{
    switch (alone->step.kind) {
    case HF_ALONE_LIST:
        return list(alone);
    case HF_ALONE_START_RUNTIME:
        return start_runtime(alone);
    case HF_ALONE_STOP_RUNTIME:
        return stop_runtime(alone);
    case HF_ALONE_REMOVE_SANDBOX:
        return remove_one(alone, "rmp");
    case HF_ALONE_REMOVE_CONTAINER:
        return remove_one(alone, "rm");
    case HF_ALONE_RUN:
        return run_sandbox(alone, err);
    case HF_ALONE_CREATE:
        return create(alone);
    case HF_ALONE_START:
        return start(alone);
    default:
        return -EINVAL;
    }
}

void alone_act(struct hf_alone *alone, const struct hf_alone_step *step)
{
    struct hf_err err = HF_ERR_INIT;
    char text[ALONE_MESSAGE];

    alone->step = *step;
    if (alone->socket[0] == '\0' || step->kind == HF_ALONE_START_RUNTIME)
        hf_alone_place_socket(alone->p.world.fs, alone->place, alone->socket, sizeof(alone->socket));
    int r = mark(alone, &err);
    if (r == 0)
        r = dispatch(alone, &err);
    if (r < 0) {
        (void)hf_err_wrap(&err, r, "%s", hf_alone_step_names[step->kind]);
        alone->acted(alone, false, hf_view_of(hf_err_text(&err, text, sizeof(text))));
    }
}
