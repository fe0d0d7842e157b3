/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simcri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alone/translate.h"
#include "os/file.h"

enum { CRICTL_FIRST = 7 }; /* after the program and its endpoints */

static struct hf_simcri_sandbox *sandbox_of(struct hf_simcri *cri, const char *id)
{
    for (size_t i = 0; i < cri->n_sandboxes; i++)
        if (strcmp(cri->sandboxes[i].id, id) == 0)
            return &cri->sandboxes[i];
    return NULL;
}

static struct hf_simcri_container *container_of(struct hf_simcri *cri, const char *id)
{
    for (size_t i = 0; i < cri->n_containers; i++)
        if (strcmp(cri->containers[i].id, id) == 0)
            return &cri->containers[i];
    return NULL;
}

static json_t *config_at(struct hf_simcri *cri, const char *path)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    json_t *json = NULL;

    if (hf_file_read(hf_simfs_ops(cri->fs), path, &text, NULL) < 0 ||
        hf_json_parse(hf_buf_view(&text), NULL, &json, NULL) < 0)
        return NULL;
    return json;
}

/* ---- what crictl does: 0, or the exit code ----------------------------------------------------------------------- */

static int add_sandbox(struct hf_simcri *cri, const char *uid, const char *space, const char *name, bool ours)
{
    for (size_t i = 0; i < cri->n_sandboxes; i++)
        if (strcmp(cri->sandboxes[i].uid, uid) == 0)
            return 1; /* the name is reserved */
    if (cri->n_sandboxes == HF_SIMCRI_MAX)
        abort();
    struct hf_simcri_sandbox *made = &cri->sandboxes[cri->n_sandboxes++];
    *made = (struct hf_simcri_sandbox){.ours = ours, .ready = true};
    (void)snprintf(made->id, sizeof(made->id), "s%u", ++cri->ids);
    (void)snprintf(made->uid, sizeof(made->uid), "%s", uid);
    (void)snprintf(made->space, sizeof(made->space), "%s", space);
    (void)snprintf(made->name, sizeof(made->name), "%s", name);
    return 0;
}

static int run_sandbox(struct hf_simcri *cri, const char *path)
{
    _cleanup_(hf_json_freep) json_t *config = config_at(cri, path);
    bool ours = json_object_get(json_object_get(config, "labels"), HF_ALONE_LABEL) != NULL;

    return config == NULL ? 1
                          : add_sandbox(cri, hf_json_str_or(config, "metadata.uid", ""),
                                        hf_json_str_or(config, "metadata.namespace", ""),
                                        hf_json_str_or(config, "metadata.name", ""), ours);
}

static int add_container(struct hf_simcri *cri, const char *sandbox, const char *name)
{
    const struct hf_simcri_sandbox *in = sandbox_of(cri, sandbox);

    if (in == NULL || !in->ready)
        return 1;
    for (size_t i = 0; i < cri->n_containers; i++)
        if (strcmp(cri->containers[i].sandbox, sandbox) == 0 && strcmp(cri->containers[i].name, name) == 0)
            return 1; /* the name is reserved */
    if (cri->n_containers == HF_SIMCRI_MAX)
        abort();
    struct hf_simcri_container *made = &cri->containers[cri->n_containers++];
    *made = (struct hf_simcri_container){.state = HF_SIMCRI_CREATED};
    (void)snprintf(made->id, sizeof(made->id), "c%u", ++cri->ids);
    (void)snprintf(made->sandbox, sizeof(made->sandbox), "%s", sandbox);
    (void)snprintf(made->name, sizeof(made->name), "%s", name);
    return 0;
}

static int create(struct hf_simcri *cri, const char *sandbox, const char *path)
{
    _cleanup_(hf_json_freep) json_t *config = config_at(cri, path);

    return config == NULL ? 1 : add_container(cri, sandbox, hf_json_str_or(config, "metadata.name", ""));
}

static int start(struct hf_simcri *cri, const char *id)
{
    struct hf_simcri_container *container = container_of(cri, id);

    if (container == NULL || container->state != HF_SIMCRI_CREATED || !sandbox_of(cri, container->sandbox)->ready)
        return 1;
    container->state = cri->breaks ? HF_SIMCRI_EXITED : HF_SIMCRI_RUNNING;
    return cri->breaks;
}

static int remove_container(struct hf_simcri *cri, const char *id)
{
    struct hf_simcri_container *container = container_of(cri, id);

    if (container == NULL)
        return 1;
    *container = cri->containers[--cri->n_containers];
    return 0;
}

static int remove_sandbox(struct hf_simcri *cri, const char *id)
{
    struct hf_simcri_sandbox *sandbox = sandbox_of(cri, id);

    if (sandbox == NULL)
        return 1;
    for (size_t i = cri->n_containers; i-- > 0;)
        if (strcmp(cri->containers[i].sandbox, id) == 0)
            cri->containers[i] = cri->containers[--cri->n_containers];
    *sandbox = cri->sandboxes[--cri->n_sandboxes];
    return 0;
}

static int list(const struct hf_simcri *cri, bool sandboxes, struct hf_buf *out)
{
    static const char *const states[] = {"CONTAINER_CREATED", "CONTAINER_RUNNING", "CONTAINER_EXITED"};
    int r = hf_buf_addf(out, "{\"%s\":[", sandboxes ? "items" : "containers");

    for (size_t i = 0; r == 0 && sandboxes && i < cri->n_sandboxes; i++) {
        const struct hf_simcri_sandbox *one = &cri->sandboxes[i];
        r = hf_buf_addf(
            out,
            "%s{\"id\":\"%s\",\"state\":\"%s\",\"labels\":{%s},\"metadata\":{\"uid\":\"%s\",\"name\":\"%s\","
            "\"namespace\":\"%s\"}}",
            i > 0 ? "," : "", one->id, one->ready ? "SANDBOX_READY" : "SANDBOX_NOTREADY",
            one->ours ? "\"" HF_ALONE_LABEL "\":\"web\"" : "", one->uid, one->name, one->space);
    }
    for (size_t i = 0; r == 0 && !sandboxes && i < cri->n_containers; i++) {
        const struct hf_simcri_container *one = &cri->containers[i];
        r = hf_buf_addf(out,
                        "%s{\"id\":\"%s\",\"podSandboxId\":\"%s\",\"state\":\"%s\",\"metadata\":{\"name\":\"%s\"}}",
                        i > 0 ? "," : "", one->id, one->sandbox, states[one->state], one->name);
    }
    if (r < 0 || hf_buf_addf(out, "]}") < 0)
        abort();
    return 0;
}

/* ---- programs ---------------------------------------------------------------------------------------------------- */

static int crictl(struct hf_simcri *cri, const char *const *argv, struct hf_buf *out)
{
    const char *verb = argv[0];

    if (!cri->own && !cri->node) {
        (void)!hf_buf_addf(out, "connect: connection refused");
        return 1;
    }
    if (strcmp(verb, "pods") == 0 || strcmp(verb, "ps") == 0)
        return list(cri, verb[1] == 'o', out);
    if (strcmp(verb, "runp") == 0)
        return run_sandbox(cri, argv[1]);
    if (strcmp(verb, "create") == 0)
        return create(cri, argv[1], argv[2]);
    if (strcmp(verb, "start") == 0)
        return start(cri, argv[1]);
    if (strcmp(verb, "rm") == 0)
        return remove_container(cri, argv[2]);
    if (strcmp(verb, "rmp") == 0)
        return remove_sandbox(cri, argv[2]);
    abort();
}

static void note(struct hf_simcri *cri, const char *verb)
{
    size_t n = strlen(cri->verbs);

    if (strcmp(verb, "pods") != 0 && strcmp(verb, "ps") != 0 && n + 16 < sizeof(cri->verbs))
        (void)snprintf(cri->verbs + n, sizeof(cri->verbs) - n, "%s ", verb);
}

static int run(void *arg, const char *const *argv, int *ret_exit_code, struct hf_buf *output)
{
    struct hf_simcri *cri = arg;
    const char *name = strrchr(argv[0], '/') + 1;
    const char *verb = strcmp(name, "crictl") == 0      ? argv[CRICTL_FIRST]
                       : strcmp(name, "systemctl") == 0 ? argv[1]
                                                        : name;

    if (cri->before != NULL && !cri->before(cri->arg))
        return HF_SIMHOST_HANGS;
    if (strcmp(name, "crictl") != 0 && strcmp(verb, "start") == 0)
        verb = name;
    note(cri, verb);
    *ret_exit_code = 0;
    if (strcmp(name, "crictl") == 0)
        *ret_exit_code = crictl(cri, argv + CRICTL_FIRST, output);
    else if (strcmp(verb, "stop") == 0)
        cri->own = false;
    else if (cri->node || cri->own)
        *ret_exit_code = 1; /* the database is locked */
    else
        cri->own = true;
    hf_simcri_turn(cri);
    return cri->after != NULL && !cri->after(cri->arg) ? HF_SIMHOST_HANGS : 0;
}

static int connect_kubelet(void *arg, const char *host, uint16_t port)
{
    const struct hf_simcri *cri = arg;

    return cri->kubelet && port == 10248 && strcmp(host, "127.0.0.1") == 0 ? 0 : -ECONNREFUSED;
}

static int state(void *arg, const char *unit, const char **ret_active_state)
{
    const struct hf_simcri *cri = arg;
    bool ours = strcmp(unit, "containerd.service") != 0;

    *ret_active_state = (ours ? cri->own : cri->node) ? "active" : "activating";
    return (ours ? cri->own : cri->node || cri->wants) ? 0 : -ENOENT;
}

struct hf_simhost_world hf_simcri_world(struct hf_simcri *cri)
{
    return (struct hf_simhost_world){.arg = cri, .run = run, .connect = connect_kubelet, .state = state};
}

void hf_simcri_turn(struct hf_simcri *cri)
{
    cri->node = cri->wants && !cri->own;
}

void hf_simcri_crash(struct hf_simcri *cri)
{
    for (size_t i = 0; i < cri->n_containers; i++)
        if (cri->containers[i].state == HF_SIMCRI_RUNNING)
            cri->containers[i].state = HF_SIMCRI_EXITED;
}

void hf_simcri_reboot(struct hf_simcri *cri)
{
    cri->own = cri->node = cri->wants = cri->kubelet = false;
    for (size_t i = 0; i < cri->n_sandboxes; i++)
        cri->sandboxes[i].ready = false;
    for (size_t i = 0; i < cri->n_containers; i++)
        cri->containers[i].state = HF_SIMCRI_EXITED;
}

void hf_simcri_run_twin(struct hf_simcri *cri, const char *space, const char *name)
{
    char uid[200];

    (void)snprintf(uid, sizeof(uid), "kubelet-%s", name);
    for (size_t i = cri->n_sandboxes; i-- > 0;)
        if (strcmp(cri->sandboxes[i].uid, uid) == 0)
            (void)remove_sandbox(cri, cri->sandboxes[i].id);
    if (add_sandbox(cri, uid, space, name, false) != 0 ||
        add_container(cri, cri->sandboxes[cri->n_sandboxes - 1].id, "c") != 0)
        abort();
    cri->containers[cri->n_containers - 1].state = HF_SIMCRI_RUNNING;
}

size_t hf_simcri_running(const struct hf_simcri *cri, bool ours)
{
    size_t n = 0;

    for (size_t i = 0; i < cri->n_containers; i++)
        for (size_t k = 0; cri->containers[i].state == HF_SIMCRI_RUNNING && k < cri->n_sandboxes; k++)
            n += strcmp(cri->sandboxes[k].id, cri->containers[i].sandbox) == 0 && cri->sandboxes[k].ours == ours;
    return n;
}

size_t hf_simcri_left(const struct hf_simcri *cri)
{
    size_t n = 0;

    for (size_t i = 0; i < cri->n_sandboxes; i++)
        n += cri->sandboxes[i].ours;
    return n;
}
