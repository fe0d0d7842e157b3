/* SPDX-License-Identifier: Apache-2.0 */
/* Each object of the manifest has a table of the keys that it may have; a key outside it is refused by its path, unless
 * it has no effect (null, false, "", {} or []). So a field that Kubernetes adds later is refused, not forgotten.
 *
 * The first problem ends the translation: functions return at once where `r` is set, so that no step checks each call.
 * Texts with "$(" are refused: only the kubelet knows all variables that it expands. A seccomp profile that is not
 * named is Unconfined, as the kubelet's default is. Logs are not kept: nothing would rotate them. */
#include "alone/translate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/field/text.h"
#include "base/parse.h"
#include "codec/sha256.h"

enum { CRI_NODE = 2, CRI_CONTAINER = 1, CRI_POD = 0, CPU_PERIOD_US = 100000, MAX_ITEMS = 256 };

struct work {
    const struct hf_alone_site *site;
    struct hf_alone_pod *pod;
    const json_t *volumes;
    const json_t *security; /* of the pod */
    struct hf_err *err;
    int r;
};

static void refuse(struct work *w, const char *where, const char *key, const char *why)
{
    if (w->r == 0)
        w->r = hf_err_set(w->err, EOPNOTSUPP, "%.100s%s%.60s %s", where, key[0] != '\0' ? "." : "", key, why);
}

static void malformed(struct work *w, const char *where, const char *key, const char *wanted)
{
    if (w->r == 0)
        w->r = hf_err_set(w->err, EBADMSG, "%.100s%s%.60s: expected %s", where, key[0] != '\0' ? "." : "", key, wanted);
}

static void put(struct work *w, json_t *root, const char *path, json_t *value)
{
    int r = hf_json_put(root, path, value);

    if (r < 0 && w->r == 0)
        w->r = hf_err_sys(w->err, r, "make '%s'", path);
}

static void append(struct work *w, json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) < 0 && w->r == 0)
        w->r = hf_err_set(w->err, ENOMEM, "out of memory");
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static bool has_effect(const json_t *value)
{
    return !(json_is_null(value) || json_is_false(value) || (json_is_string(value) && json_string_length(value) == 0) ||
             (json_is_object(value) && json_object_size(value) == 0) ||
             (json_is_array(value) && json_array_size(value) == 0));
}

/* `known` ends with NULL. */
static void only(struct work *w, const json_t *object, const char *where, const char *const *known)
{
    const char *key;
    json_t *value;

    if (object != NULL && !json_is_object(object))
        malformed(w, where, "", "an object");
    json_object_foreach(hf_json_mutable(object), key, value) {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL && has_effect(value))
            refuse(w, where, key, "needs a kubelet");
    }
}

/* NULL: absent. */
static const char *text(struct work *w, const json_t *object, const char *where, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL || json_is_null(value))
        return NULL;
    if (!json_is_string(value)) {
        malformed(w, where, key, "a string");
        return NULL;
    }
    if (strstr(json_string_value(value), "$(") != NULL)
        refuse(w, where, key, "has $(), which only a kubelet expands");
    return json_string_value(value);
}

static bool flag(struct work *w, const json_t *object, const char *where, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (value != NULL && !json_is_null(value) && !json_is_boolean(value))
        malformed(w, where, key, "true or false");
    return json_is_true(value);
}

static const json_t *list(struct work *w, const json_t *object, const char *where, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL || json_is_null(value))
        return NULL;
    if (!json_is_array(value) || json_array_size(value) > MAX_ITEMS) {
        malformed(w, where, key, "a list of at most 256");
        return NULL;
    }
    return value;
}

static const json_t *part(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_null(value) ? NULL : value;
}

static void copy_texts(struct work *w, const json_t *object, const char *where, const char *key, json_t *out,
                       const char *path)
{
    const json_t *from = list(w, object, where, key);
    json_t *to = from != NULL ? json_array() : NULL;

    if (from == NULL)
        return;
    for (size_t i = 0; i < json_array_size(from); i++) {
        const char *one = json_string_value(json_array_get(from, i));
        if (one == NULL)
            malformed(w, where, key, "strings");
        else if (strstr(one, "$(") != NULL)
            refuse(w, where, key, "has $(), which only a kubelet expands");
        else
            append(w, to, json_string(one));
    }
    put(w, out, path, to);
}

static void copy_id(struct work *w, const json_t *object, const char *where, const char *key, json_t *out,
                    const char *path)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL || json_is_null(value))
        return;
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > INT32_MAX) {
        malformed(w, where, key, "a number from 0");
        return;
    }
    put(w, out, path, json_integer(json_integer_value(value)));
}

/* ---- volumes ----------------------------------------------------------------------------------------------------- */

static const json_t *find_named(const json_t *of, const char *name)
{
    for (size_t i = 0; i < json_array_size(of); i++)
        if (strcmp(hf_json_str_or(json_array_get(of, i), "name", ""), name) == 0)
            return json_array_get(of, i);
    return NULL;
}

static void host_path(struct work *w, const json_t *source, const char *where, char *path, size_t n)
{
    static const char *const known[] = {"path", "type", NULL};
    const char *from = text(w, source, where, "path"), *type = text(w, source, where, "type");

    only(w, source, where, known);
    if (from == NULL || (!hf_text_is_path(from) && strcmp(from, "/") != 0) || strlen(from) >= n) {
        malformed(w, where, "path", "an absolute path without . and .. and //");
        return;
    }
    (void)snprintf(path, n, "%s", from);
    if (type == NULL || type[0] == '\0' || strcmp(type, "DirectoryOrCreate") == 0)
        return;
    if (strcmp(type, "FileOrCreate") == 0)
        refuse(w, where, "type", "FileOrCreate needs a kubelet");
    append(w, w->pod->needs, json_string(from));
}

static void empty_dir(struct work *w, const json_t *source, const char *where, const char *name, char *path, size_t n)
{
    static const char *const known[] = {"sizeLimit", NULL};

    only(w, source, where, known);
    if (!hf_text_is_name(name) || (size_t)snprintf(path, n, "%s/%s/%s", w->site->volumes, w->pod->uid, name) >= n) {
        malformed(w, where, "", "a short name of lower case letters, digits and '-'");
        return;
    }
    for (size_t i = 0; i < json_array_size(w->pod->folders); i++)
        if (strcmp(json_string_value(json_array_get(w->pod->folders, i)), path) == 0)
            return;
    append(w, w->pod->folders, json_string(path));
}

/* The path of the host for the volume of this name. */
static void volume_path(struct work *w, const char *name, char *path, size_t n)
{
    static const char *const known[] = {"name", "hostPath", "emptyDir", NULL};
    const json_t *volume = find_named(w->volumes, name);
    char where[128];

    (void)snprintf(where, sizeof(where), "spec.volumes[%.63s]", name);
    only(w, volume, where, known);
    const json_t *host = part(volume, "hostPath"), *empty = json_object_get(volume, "emptyDir");
    if (volume == NULL || (host != NULL) == (empty != NULL))
        malformed(w, where, "", "one of hostPath and emptyDir");
    else if (host != NULL)
        host_path(w, host, where, path, n);
    else
        empty_dir(w, json_is_object(empty) ? empty : NULL, where, name, path, n);
}

static int propagation(struct work *w, const json_t *mount, const char *where)
{
    static const char *const words[] = {"None", "HostToContainer", "Bidirectional"};
    const char *word = text(w, mount, where, "mountPropagation");

    for (unsigned i = 0; word != NULL && i < HF_LEN(words); i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    if (word != NULL)
        malformed(w, where, "mountPropagation", "None, HostToContainer or Bidirectional");
    return 0;
}

static void mounts(struct work *w, const json_t *container, const char *where, json_t *out)
{
    static const char *const known[] = {"name", "mountPath", "readOnly", "mountPropagation", NULL};
    const json_t *from = list(w, container, where, "volumeMounts");
    json_t *to = json_array();

    put(w, out, "mounts", to);
    for (size_t i = 0; i < json_array_size(from) && w->r == 0; i++) {
        const json_t *mount = json_array_get(from, i);
        char at[200], path[1024] = "";
        (void)snprintf(at, sizeof(at), "%.120s.volumeMounts[%zu]", where, i);
        only(w, mount, at, known);
        const char *name = text(w, mount, at, "name"), *inside = text(w, mount, at, "mountPath");
        if (name == NULL || inside == NULL || inside[0] != '/') {
            malformed(w, at, "", "name and an absolute mountPath");
            return;
        }
        volume_path(w, name, path, sizeof(path));
        append(w, to,
               json_pack("{s:s, s:s, s:b, s:i}", "container_path", inside, "host_path", path, "readonly",
                         flag(w, mount, at, "readOnly"), "propagation", propagation(w, mount, at)));
    }
}

/* ---- a container ------------------------------------------------------------------------------------------------- */

static void variables(struct work *w, const json_t *container, const char *where, json_t *out)
{
    static const char *const known[] = {"name", "value", NULL};
    const json_t *from = list(w, container, where, "env");
    json_t *to = json_array();

    put(w, out, "envs", to);
    for (size_t i = 0; i < json_array_size(from) && w->r == 0; i++) {
        const json_t *one = json_array_get(from, i);
        char at[160];
        (void)snprintf(at, sizeof(at), "%.120s.env[%zu]", where, i);
        only(w, one, at, known);
        const char *name = text(w, one, at, "name"), *value = text(w, one, at, "value");
        if (name == NULL || name[0] == '\0')
            malformed(w, at, "name", "a name");
        else
            append(w, to, json_pack("{s:s, s:s}", "key", name, "value", value != NULL ? value : ""));
    }
}

/* "500m", "2" and "0.5" in thousandths of a processor. */
static bool parse_millis(const json_t *value, uint64_t *ret_millis)
{
    char number[24], *end;
    double cpus;

    if (json_is_number(value)) {
        cpus = json_number_value(value);
    } else if (json_is_string(value) && json_string_length(value) < sizeof(number)) {
        (void)snprintf(number, sizeof(number), "%s", json_string_value(value));
        if (strspn(number, "0123456789.") == 0)
            return false;
        cpus = strtod(number, &end);
        if (strcmp(end, "m") == 0)
            cpus /= 1000;
        else if (*end != '\0')
            return false;
    } else {
        return false;
    }
    if (!(cpus >= 0 && cpus <= 4096))
        return false;
    *ret_millis = (uint64_t)(cpus * 1000 + 0.5);
    return true;
}

static bool parse_bytes(const json_t *value, uint64_t *ret_bytes)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *ret_bytes = (uint64_t)json_integer_value(value);
        return true;
    }
    return json_is_string(value) && hf_parse_quantity(json_string_value(value), ret_bytes) == 0 &&
           *ret_bytes <= INT64_MAX;
}

static void resources(struct work *w, const json_t *container, const char *where, json_t *out)
{
    static const char *const known[] = {"limits", "requests", NULL};
    static const char *const kinds[] = {"cpu", "memory", "ephemeral-storage", NULL};
    const json_t *all = part(container, "resources");
    const json_t *limits = part(all, "limits"), *requests = part(all, "requests");
    const json_t *cpu = json_object_get(limits, "cpu"), *memory = json_object_get(limits, "memory");
    const json_t *share = json_object_get(requests, "cpu");
    uint64_t millis, bytes;

    only(w, all, where, known);
    only(w, limits, where, kinds);
    only(w, requests, where, kinds);
    if (cpu != NULL && !parse_millis(cpu, &millis)) {
        malformed(w, where, "resources.limits.cpu", "a quantity such as 500m");
    } else if (cpu != NULL) {
        put(w, out, "linux.resources.cpu_period", json_integer(CPU_PERIOD_US));
        put(w, out, "linux.resources.cpu_quota", json_integer((json_int_t)HF_MAX(millis * CPU_PERIOD_US / 1000, 1000)));
    }
    share = share != NULL ? share : cpu;
    if (share != NULL && !parse_millis(share, &millis))
        malformed(w, where, "resources.requests.cpu", "a quantity such as 500m");
    else if (share != NULL)
        put(w, out, "linux.resources.cpu_shares", json_integer((json_int_t)HF_MAX(millis * 1024 / 1000, 2)));
    if (memory != NULL && !parse_bytes(memory, &bytes))
        malformed(w, where, "resources.limits.memory", "a quantity such as 64Mi");
    else if (memory != NULL)
        put(w, out, "linux.resources.memory_limit_in_bytes", json_integer((json_int_t)bytes));
}

static void seccomp(struct work *w, const json_t *own, const char *where, json_t *out)
{
    const json_t *profile = part(own, "seccompProfile");
    const char *type;

    if (profile == NULL)
        profile = part(w->security, "seccompProfile");
    type = profile != NULL ? text(w, profile, where, "type") : "Unconfined";
    if (type != NULL && strcmp(type, "RuntimeDefault") == 0)
        put(w, out, "linux.security_context.seccomp.profile_type", json_integer(0));
    else if (type != NULL && strcmp(type, "Unconfined") == 0)
        put(w, out, "linux.security_context.seccomp.profile_type", json_integer(1));
    else
        refuse(w, where, "securityContext.seccompProfile", "is neither RuntimeDefault nor Unconfined");
}

static void users(struct work *w, const json_t *own, const char *where, json_t *out)
{
    static const char *const keys[] = {"runAsUser", "runAsGroup"};
    static const char *const paths[] = {"linux.security_context.run_as_user.value",
                                        "linux.security_context.run_as_group.value"};

    for (size_t i = 0; i < HF_LEN(keys); i++)
        copy_id(w, part(own, keys[i]) != NULL ? own : w->security, where, keys[i], out, paths[i]);
    bool must = part(own, "runAsNonRoot") != NULL ? flag(w, own, where, "runAsNonRoot")
                                                  : flag(w, w->security, where, "runAsNonRoot");
    const json_t *user = hf_json_at(out, paths[0]);
    if (hf_json_at(out, paths[1]) != NULL && user == NULL)
        refuse(w, where, "runAsGroup", "needs runAsUser beside it");
    if (must && (user == NULL || json_integer_value(user) == 0))
        refuse(w, where, "runAsNonRoot", "needs a runAsUser other than 0 beside it");
}

static void security(struct work *w, const json_t *container, const char *where, json_t *out)
{
    static const char *const known[] = {"privileged",
                                        "runAsUser",
                                        "runAsGroup",
                                        "runAsNonRoot",
                                        "capabilities",
                                        "readOnlyRootFilesystem",
                                        "allowPrivilegeEscalation",
                                        "seccompProfile",
                                        NULL};
    static const char *const changes[] = {"add", "drop", NULL};
    const json_t *own = part(container, "securityContext"), *capabilities = part(own, "capabilities");

    only(w, own, where, known);
    only(w, capabilities, where, changes);
    if (flag(w, own, where, "privileged")) {
        put(w, out, "linux.security_context.privileged", json_true());
        put(w, w->pod->sandbox, "linux.security_context.privileged", json_true());
    }
    if (flag(w, own, where, "readOnlyRootFilesystem"))
        put(w, out, "linux.security_context.readonly_rootfs", json_true());
    (void)flag(w, own, where, "allowPrivilegeEscalation");
    if (json_is_false(json_object_get(own, "allowPrivilegeEscalation")))
        put(w, out, "linux.security_context.no_new_privs", json_true());
    copy_texts(w, capabilities, where, "add", out, "linux.security_context.capabilities.add_capabilities");
    copy_texts(w, capabilities, where, "drop", out, "linux.security_context.capabilities.drop_capabilities");
    users(w, own, where, out);
    seccomp(w, own, where, out);
}

static void namespaces(struct work *w, const json_t *spec, json_t *out)
{
    put(w, out, "linux.security_context.namespace_options.network", json_integer(CRI_NODE));
    put(w, out, "linux.security_context.namespace_options.pid",
        json_integer(flag(w, spec, "spec", "hostPID") ? CRI_NODE : CRI_CONTAINER));
    put(w, out, "linux.security_context.namespace_options.ipc",
        json_integer(flag(w, spec, "spec", "hostIPC") ? CRI_NODE : CRI_POD));
}

static void container(struct work *w, const json_t *spec, const json_t *from, size_t i)
{
    static const char *const known[] = {"name", "image", "command", "args", "workingDir", "env", "volumeMounts",
                                        "resources", "securityContext",
                                        /* without effect here */
                                        "livenessProbe", "readinessProbe", "startupProbe", "ports", "imagePullPolicy",
                                        "terminationMessagePath", "terminationMessagePolicy", NULL};
    struct hf_alone_container *to = &w->pod->containers[i];
    char where[128];

    (void)snprintf(where, sizeof(where), "spec.containers[%zu]", i);
    only(w, from, where, known);
    const char *name = text(w, from, where, "name"), *image = text(w, from, where, "image");
    const char *folder = text(w, from, where, "workingDir");
    if (name == NULL || image == NULL || !hf_text_is_name(name) || image[0] == '\0') {
        malformed(w, where, "", "a name and an image");
        return;
    }
    (void)snprintf(to->name, sizeof(to->name), "%s", name);
    to->config =
        json_pack("{s:{s:s, s:i}, s:{s:s}, s:s, s:{s:s}}", "metadata", "name", name, "attempt", 0, "image", "image",
                  image, "working_dir", folder != NULL ? folder : "", "labels", HF_ALONE_LABEL, w->site->entry);
    w->pod->n_containers = i + 1;
    copy_texts(w, from, where, "command", to->config, "command");
    copy_texts(w, from, where, "args", to->config, "args");
    variables(w, from, where, to->config);
    mounts(w, from, where, to->config);
    resources(w, from, where, to->config);
    security(w, from, where, to->config);
    namespaces(w, spec, to->config);
}

/* ---- the pod ----------------------------------------------------------------------------------------------------- */

static void check_spec(struct work *w, const json_t *spec)
{
    static const char *const known[] = {
        "containers", "volumes", "hostNetwork", "hostPID", "hostIPC", "restartPolicy", "securityContext", "dnsPolicy",
        /* without effect here */
        "nodeName", "nodeSelector", "affinity", "tolerations", "priority", "priorityClassName", "preemptionPolicy",
        "schedulerName", "enableServiceLinks", "automountServiceAccountToken", "imagePullSecrets",
        "terminationGracePeriodSeconds", NULL};
    static const char *const pod_known[] = {"runAsUser", "runAsGroup", "runAsNonRoot", "seccompProfile", NULL};
    const char *restart = text(w, spec, "spec", "restartPolicy"), *dns = text(w, spec, "spec", "dnsPolicy");

    only(w, spec, "spec", known);
    if (!flag(w, spec, "spec", "hostNetwork"))
        refuse(w, "spec", "hostNetwork", "is not true: a network of the pod's own needs a kubelet");
    if (restart != NULL && strcmp(restart, "Always") != 0)
        refuse(w, "spec", "restartPolicy", "is not Always");
    if (dns != NULL && strcmp(dns, "Default") != 0 && strcmp(dns, "ClusterFirst") != 0)
        refuse(w, "spec", "dnsPolicy", "is neither Default nor ClusterFirst");
    w->security = part(spec, "securityContext");
    only(w, w->security, "spec.securityContext", pod_known);
    w->volumes = list(w, spec, "spec", "volumes");
}

static void make_uid(struct work *w, const json_t *manifest)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(HF_JSON_MAX_BYTES);
    char hex[HF_SHA256_HEX];
    int r = hf_buf_addf(&bytes, "%s\n%s\n", w->site->entry, w->site->cgroup_parent);

    if (r == 0)
        r = hf_json_canonical_fractions(manifest, &bytes, w->err);
    if (r < 0) {
        w->r = hf_err_wrap(w->err, r == -ENOMEM ? r : -EBADMSG, "the pod");
        return;
    }
    (void)snprintf(w->pod->uid, sizeof(w->pod->uid), "holdfast-%.32s", hf_sha256_hex(bytes.p, bytes.n, hex));
}

static void make_sandbox(struct work *w, const json_t *spec)
{
    struct hf_alone_pod *pod = w->pod;

    pod->sandbox = json_pack("{s:{s:s, s:s, s:s, s:i}, s:{s:s}, s:{s:s}}", "metadata", "name", pod->name, "namespace",
                             pod->space, "uid", pod->uid, "attempt", 0, "labels", HF_ALONE_LABEL, w->site->entry,
                             "linux", "cgroup_parent", w->site->cgroup_parent);
    pod->folders = json_array();
    pod->needs = json_array();
    namespaces(w, spec, pod->sandbox);
}

static void pod_of(struct work *w, const json_t *manifest)
{
    const json_t *meta = json_object_get(manifest, "metadata"), *spec = json_object_get(manifest, "spec");
    const char *name = text(w, meta, "metadata", "name"), *space = text(w, meta, "metadata", "namespace");

    if (strcmp(hf_json_str_or(manifest, "kind", ""), "Pod") != 0 ||
        strcmp(hf_json_str_or(manifest, "apiVersion", ""), "v1") != 0 || !json_is_object(spec))
        malformed(w, "manifest", "", "a v1 Pod");
    space = space != NULL && space[0] != '\0' ? space : "default";
    if (name == NULL || !hf_text_is_object_name(name) || strlen(name) >= sizeof(w->pod->name) ||
        !hf_text_is_name(space) || strlen(space) >= sizeof(w->pod->space))
        malformed(w, "metadata", "name", "a name, and a namespace");
    if (w->r < 0)
        return;
    (void)snprintf(w->pod->name, sizeof(w->pod->name), "%s", name);
    (void)snprintf(w->pod->space, sizeof(w->pod->space), "%s", space);
    make_uid(w, manifest);
    check_spec(w, spec);
    make_sandbox(w, spec);
    const json_t *all = list(w, spec, "spec", "containers");
    if (json_array_size(all) == 0 || json_array_size(all) > HF_ALONE_MAX_CONTAINERS)
        malformed(w, "spec", "containers", "1 to 16 containers");
    for (size_t i = 0; i < json_array_size(all) && w->r == 0; i++)
        container(w, spec, json_array_get(all, i), i);
}

int hf_alone_translate(const json_t *manifest, const struct hf_alone_site *site, struct hf_alone_pod *ret_pod,
                       struct hf_err *err)
{
    struct hf_alone_pod pod = {.n_containers = 0};
    struct work w = {.site = site, .pod = &pod, .err = err};

    pod_of(&w, manifest);
    if (w.r < 0) {
        hf_alone_pod_done(&pod);
        return w.r;
    }
    *ret_pod = pod;
    return 0;
}

void hf_alone_pod_done(struct hf_alone_pod *pod)
{
    for (size_t i = 0; i < HF_LEN(pod->containers); i++)
        json_decref(pod->containers[i].config);
    json_decref(pod->sandbox);
    json_decref(pod->folders);
    json_decref(pod->needs);
    *pod = (struct hf_alone_pod){.n_containers = 0};
}
