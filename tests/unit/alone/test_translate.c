/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of static pods: what CRI gets for them (golden files), and what is refused, by which name. */
#include "alone/translate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/golden.h"

static const struct hf_alone_site site = {.entry = "web", .volumes = "/v", .cgroup_parent = "/holdfast-alone"};

static int translate(struct hf_view text, struct hf_alone_pod *pod, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *manifest = NULL;

    ck_assert_int_eq(hf_yaml_parse(text, NULL, &manifest, err), 0);
    return hf_alone_translate(manifest, &site, pod, err);
}

static void add_json(struct hf_buf *out, const char *title, const json_t *json)
{
    ck_assert_int_eq(hf_buf_addf(out, "%s:\n", title), 0);
    ck_assert_int_eq(hf_yaml_format(json, out), 0);
}

static const char *const files[] = {"beacon", "everything"};

START_TEST(golden)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16), out = HF_BUF_INIT(1 << 16);
    struct hf_alone_pod pod;
    struct hf_err err = HF_ERR_INIT;
    char path[128], name[128];

    (void)snprintf(path, sizeof(path), "tests/golden/alone/%s.yaml", files[_i]);
    (void)snprintf(name, sizeof(name), "alone/%s.txt", files[_i]);
    ck_assert_int_eq(hf_file_read(hf_fs_posix(), path, &text, &err), 0);
    ck_assert_msg(translate(hf_buf_view(&text), &pod, &err) == 0, "%s: %s", path, err.cause);
    add_json(&out, "sandbox", pod.sandbox);
    for (size_t i = 0; i < pod.n_containers; i++)
        add_json(&out, pod.containers[i].name, pod.containers[i].config);
    add_json(&out, "folders", pod.folders);
    add_json(&out, "needs", pod.needs);
    hf_alone_pod_done(&pod);
    ck_assert(hf_golden(name, hf_buf_view(&out)));
}
END_TEST

#define POD(spec, container)                                                                                           \
    "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {hostNetwork: true, " spec                                 \
    "containers: [{name: c, image: i" container "}]}}"

static const struct {
    const char *manifest;
    int r;
    const char *named; /* in the error */
} rows[] = {
    {POD("", ""), 0, ""},
    {POD("initContainers: [], hostAliases: null, shareProcessNamespace: false, ", ""), 0, ""},
    {POD("", ", envFrom: []"), 0, ""},
    {"[]", -EBADMSG, "v1 Pod"},
    {"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}", -EOPNOTSUPP,
     "spec.hostNetwork"},
    {"{apiVersion: v1, kind: Pod, metadata: {name: ../a}, spec: {hostNetwork: true}}", -EBADMSG, "metadata.name"},
    {"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {hostNetwork: true, containers: []}}", -EBADMSG,
     "spec.containers"},
    {POD("initContainers: [{name: i, image: i}], ", ""), -EOPNOTSUPP, "spec.initContainers"},
    {POD("restartPolicy: Never, ", ""), -EOPNOTSUPP, "spec.restartPolicy"},
    {POD("runtimeClassName: kata, ", ""), -EOPNOTSUPP, "spec.runtimeClassName"},
    {POD("dnsPolicy: None, ", ""), -EOPNOTSUPP, "spec.dnsPolicy"},
    {POD("securityContext: {fsGroup: 5}, ", ""), -EOPNOTSUPP, "spec.securityContext.fsGroup"},
    {POD("somethingNew: 1, ", ""), -EOPNOTSUPP, "spec.somethingNew"},
    {POD("", ", env: [{name: A, valueFrom: {fieldRef: {fieldPath: x}}}]"), -EOPNOTSUPP,
     "spec.containers[0].env[0].valueFrom"},
    {POD("", ", env: [{name: A, value: $(B)}]"), -EOPNOTSUPP, "spec.containers[0].env[0].value"},
    {POD("", ", args: [\"$(B)\"]"), -EOPNOTSUPP, "spec.containers[0].args"},
    {POD("", ", args: [1]"), -EBADMSG, "spec.containers[0].args"},
    {POD("", ", envFrom: [{configMapRef: {name: x}}]"), -EOPNOTSUPP, "spec.containers[0].envFrom"},
    {POD("", ", lifecycle: {preStop: {}}"), -EOPNOTSUPP, "spec.containers[0].lifecycle"},
    {POD("", ", securityContext: {runAsNonRoot: true}"), -EOPNOTSUPP, "runAsNonRoot"},
    {POD("", ", securityContext: {runAsGroup: 1}"), -EOPNOTSUPP, "runAsGroup"},
    {POD("", ", securityContext: {runAsUser: -1}"), -EBADMSG, "runAsUser"},
    {POD("", ", securityContext: {procMount: Unmasked}"), -EOPNOTSUPP, "procMount"},
    {POD("", ", securityContext: {seccompProfile: {type: Localhost}}"), -EOPNOTSUPP, "seccompProfile"},
    {POD("", ", resources: {limits: {cpu: x}}"), -EBADMSG, "resources.limits.cpu"},
    {POD("", ", resources: {limits: {example.com/gpu: 1}}"), -EOPNOTSUPP, "example.com/gpu"},
    {POD("", ", volumeMounts: [{name: v, mountPath: /v}]"), -EBADMSG, "spec.volumes[v]"},
    {POD("volumes: [{name: v, secret: {secretName: s}}], ", ", volumeMounts: [{name: v, mountPath: /v}]"), -EOPNOTSUPP,
     "spec.volumes[v].secret"},
    {POD("volumes: [{name: v, configMap: {name: s}}], ", ", volumeMounts: [{name: v, mountPath: /v}]"), -EOPNOTSUPP,
     "spec.volumes[v].configMap"},
    {POD("volumes: [{name: v, emptyDir: {medium: Memory}}], ", ", volumeMounts: [{name: v, mountPath: /v}]"),
     -EOPNOTSUPP, "spec.volumes[v].medium"},
    {POD("volumes: [{name: v, hostPath: {path: ../x}}], ", ", volumeMounts: [{name: v, mountPath: /v}]"), -EBADMSG,
     "spec.volumes[v].path"},
    {POD("volumes: [{name: ../v, emptyDir: {}}], ", ", volumeMounts: [{name: ../v, mountPath: /v}]"), -EBADMSG,
     "spec.volumes[../v]"},
    {POD("volumes: [{name: v, emptyDir: {}}], ", ", volumeMounts: [{name: v, mountPath: /v, subPath: x}]"), -EOPNOTSUPP,
     "subPath"},
};

START_TEST(refused)
{
    struct hf_alone_pod pod;
    struct hf_err err = HF_ERR_INIT;
    int r = translate(hf_view_of(rows[_i].manifest), &pod, &err);

    ck_assert_msg(r == rows[_i].r, "%s: r=%d %s", rows[_i].manifest, r, err.cause);
    if (r == 0)
        hf_alone_pod_done(&pod);
    else
        ck_assert_msg(strstr(err.cause, rows[_i].named) != NULL, "%s: %s", rows[_i].manifest, err.cause);
}
END_TEST

START_TEST(another_manifest_has_another_uid)
{
    struct hf_alone_pod a, b, c;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(translate(hf_view_of(POD("", "")), &a, &err), 0);
    ck_assert_int_eq(translate(hf_view_of(POD("", "")), &b, &err), 0);
    ck_assert_int_eq(translate(hf_view_of(POD("", ", args: [x]")), &c, &err), 0);
    ck_assert_str_eq(a.uid, b.uid);
    ck_assert_str_ne(a.uid, c.uid);
    hf_alone_pod_done(&a);
    hf_alone_pod_done(&b);
    hf_alone_pod_done(&c);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, golden, 0, HF_LEN(files));
    tcase_add_loop_test(tc, refused, 0, HF_LEN(rows));
    tcase_add_test(tc, another_manifest_has_another_uid);
}

HF_TEST_MAIN("alone/translate", cases)
