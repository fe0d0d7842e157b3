/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of a source become objects in order (manifests/cluster/set.h). */
#include "manifests/cluster/set.h"

#include <errno.h>
#include <string.h>

#include "support/check_main.h"

static int add(struct hf_cluster_set *set, const char *path, const char *text, struct hf_err *err)
{
    return hf_cluster_set_add(set, path, hf_view_of(text), err);
}

#define MAP(name) "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name ", namespace: site}\n"

/* The server stores the texts of stringData in data; an apply sends them there at once. */
START_TEST(string_data)
{
    static const char text[] = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: site}\n"
                               "data: {a: b2xk, b: b2xk}\nstringData: {b: new, c: '', d: \"x\\ny\"}\n";
    struct hf_cluster_set set;
    struct hf_err err = HF_ERR_INIT;

    hf_cluster_set_init(&set, "apps");
    ck_assert_msg(add(&set, "s.yaml", text, &err) == 0, "%s: %s", err.where, err.cause);
    ck_assert_int_eq(hf_cluster_set_seal(&set, &err), 0);
    ck_assert_ptr_null(strstr(set.objects[0].json, "stringData"));
    ck_assert_ptr_nonnull(
        strstr(set.objects[0].json, "\"data\":{\"a\":\"b2xk\",\"b\":\"bmV3\",\"c\":\"\",\"d\":\"eAp5\"}"));
    ck_assert_int_eq(add(&set, "t.yaml",
                         "apiVersion: v1\nkind: Secret\nmetadata: {name: t, namespace: site}\nstringData: {n: 5}\n",
                         &err),
                     -EBADMSG);
    hf_cluster_set_done(&set);
}
END_TEST

START_TEST(order)
{
    static const char text[] =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: site}\n"
        "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: w}\n"
        "---\n# only a comment\n---\n" MAP(
            "a") "---\n"
                 "apiVersion: v1\nkind: List\nitems:\n"
                 "- {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: 'x:y', namespace: "
                 "site}}\n"
                 "- {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: 'system:Reader', "
                 "namespace: site}}\n"
                 "- {apiVersion: v1, kind: ServiceAccount, metadata: {name: s, namespace: site}}\n"
                 "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: "
                 "things.example.com}\n"
                 "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: site}\n"
                 "---\napiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t, namespace: site}\n"
                 "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: p, namespace: site}\n";
    static const char *const wanted[] = {"Namespace site",
                                         "CustomResourceDefinition things.example.com",
                                         "ServiceAccount site/s",
                                         "Role site/system:Reader",
                                         "RoleBinding site/x:y",
                                         "ConfigMap site/a",
                                         "PersistentVolumeClaim site/p",
                                         "Deployment site/web",
                                         "Thing site/t",
                                         "ValidatingWebhookConfiguration w"};
    struct hf_cluster_set set;
    struct hf_err err = HF_ERR_INIT;
    char name[256];

    hf_cluster_set_init(&set, "apps");
    ck_assert_msg(add(&set, "a/b.yaml", text, &err) == 0, "%s: %s", err.where, err.cause);
    ck_assert_int_eq(add(&set, "README.md", "# not: [yaml", &err), 0);
    ck_assert_int_eq(hf_cluster_set_seal(&set, &err), 0);
    ck_assert_uint_eq(set.n, HF_LEN(wanted));
    for (size_t i = 0; i < set.n; i++)
        ck_assert_str_eq(hf_cluster_id_text(&set.objects[i].id, name, sizeof(name)), wanted[i]);
    ck_assert_uint_lt(set.objects[1].rank, HF_CLUSTER_RANK_WAIT);
    ck_assert_uint_ge(set.objects[2].rank, HF_CLUSTER_RANK_WAIT);
    hf_cluster_set_done(&set);
}
END_TEST

START_TEST(only_fields_of_the_author_and_our_label)
{
    /* As `kubectl get -o yaml` writes it; an alias shares the labels with the selector. */
    static const char text[] = "apiVersion: apps/v1\nkind: Deployment\n"
                               "metadata: {name: web, namespace: site, uid: u, resourceVersion: '7', generation: 3,\n"
                               "  creationTimestamp: x, selfLink: y, managedFields: [], annotations: {a: b},\n"
                               "  labels: &l {app: web}}\n"
                               "spec: {selector: {matchLabels: *l}}\nstatus: {replicas: 1}\n";
    struct hf_cluster_set set;

    hf_cluster_set_init(&set, "apps");
    ck_assert_int_eq(add(&set, "x.yml", text, NULL), 0);
    ck_assert_str_eq(set.objects[0].json,
                     "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"namespace\":"
                     "\"site\",\"annotations\":{\"a\":\"b\"},\"labels\":{\"app\":\"web\","
                     "\"edge.codcompass.io/manifest\":\"apps\"}},\"spec\":{\"selector\":{\"matchLabels\":{\"app\":"
                     "\"web\"}}}}");
    ck_assert_uint_eq(set.objects[0].n_json, strlen(set.objects[0].json));
    ck_assert_str_eq(set.objects[0].file, "x.yml");
    hf_cluster_set_done(&set);
}
END_TEST

START_TEST(namespaces)
{
    struct hf_cluster_set set;
    const char *with = "\"namespace\":\"default\"";

    hf_cluster_set_init(&set, "apps");
    ck_assert_int_eq(
        add(&set, "x.json", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"}}", NULL), 0);
    ck_assert_int_eq(add(&set, "y.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: n, namespace: x}\n", NULL), 0);
    ck_assert_int_eq(add(&set, "z.yaml", MAP("a"), NULL), 0);
    ck_assert_int_eq(hf_cluster_set_scope(&set.objects[0], true), 0);
    ck_assert_int_eq(hf_cluster_set_scope(&set.objects[1], false), 0);
    ck_assert_int_eq(hf_cluster_set_scope(&set.objects[2], true), 0);
    ck_assert_str_eq(set.objects[0].id.ns, "default");
    ck_assert_ptr_nonnull(strstr(set.objects[0].json, with));
    ck_assert_str_eq(set.objects[1].id.ns, "");
    ck_assert_ptr_null(strstr(set.objects[1].json, "namespace"));
    ck_assert_str_eq(set.objects[2].id.ns, "site");
    for (size_t i = 0; i < set.n; i++)
        ck_assert_uint_eq(set.objects[i].n_json, strlen(set.objects[i].json));
    /* Two versions of a group have the same objects. */
    ck_assert_ptr_nonnull(hf_cluster_set_find(&set, &(struct hf_cluster_id){"v2", "Pod", "default", "p"}));
    ck_assert_ptr_null(hf_cluster_set_find(&set, &(struct hf_cluster_id){"apps/v1", "Pod", "default", "p"}));
    ck_assert_ptr_null(hf_cluster_set_find(&set, &(struct hf_cluster_id){"v1", "Pod", "site", "p"}));
    hf_cluster_set_done(&set);
}
END_TEST

#define POD(more) "apiVersion: v1\nkind: Pod\nmetadata: {" more "}\n"

static const struct {
    const char *name, *text;
    int r;
    const char *why;
} refused[] = {
    {"a list", "- a\n", -EBADMSG, "'apiVersion'"},
    {"a text", "hello\n", -EBADMSG, "'apiVersion'"},
    {"values of a chart", "replicas: 3\n", -EBADMSG, "'apiVersion'"},
    {"no kind", "apiVersion: v1\nmetadata: {name: a}\n", -EBADMSG, "'kind'"},
    {"kind of a path", "apiVersion: v1\nkind: ../x\nmetadata: {name: a}\n", -EBADMSG, "'kind'"},
    {"path as version", "apiVersion: ../../api/v1\nkind: Pod\nmetadata: {name: a}\n", -EBADMSG, "'apiVersion'"},
    {"three parts", "apiVersion: a/b/c\nkind: Pod\nmetadata: {name: a}\n", -EBADMSG, "'apiVersion'"},
    {"no version", "apiVersion: a/\nkind: Pod\nmetadata: {name: a}\n", -EBADMSG, "'apiVersion'"},
    {"query in version", "apiVersion: v1?x=y\nkind: Pod\nmetadata: {name: a}\n", -EBADMSG, "'apiVersion'"},
    {"no name", POD("generateName: a-"), -EBADMSG, "'metadata.name'"},
    {"dots", POD("name: '..'"), -EBADMSG, "'metadata.name'"},
    {"slash", POD("name: a/b"), -EBADMSG, "'metadata.name'"},
    {"number", POD("name: 7"), -EBADMSG, "'metadata.name'"},
    {"namespace with a dot", POD("name: a, namespace: a.b"), -EBADMSG, "'metadata.namespace'"},
    {"namespace of a number", POD("name: a, namespace: 7"), -EBADMSG, "'metadata.namespace'"},
    {"labels", POD("name: a, labels: [x]"), -EBADMSG, "'metadata.labels'"},
    {"metadata", "apiVersion: v1\nkind: Pod\nmetadata: x\n", -EBADMSG, "'metadata.name'"},
    {"kustomization", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a]\n", -EBADMSG,
     "kustomize build"},
    {"second document", MAP("a") "---\nx: 1\n", -EBADMSG, "document 2"},
    {"item of a list", "apiVersion: v1\nkind: List\nitems: [7]\n", -EBADMSG, "item 1"},
    {"no YAML", "a: [\n", -EBADMSG, "x.yaml"},
    {"truncated", "apiVersion: v1\nkind: Pod\nmetadata: {name: a", -EBADMSG, "x.yaml"},
};

START_TEST(refuses_by_name)
{
    struct hf_cluster_set set;
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    hf_cluster_set_init(&set, "apps");
    int r = add(&set, "x.yaml", refused[_i].text, &err);
    ck_assert_msg(r == refused[_i].r, "%s: %d", refused[_i].name, r);
    (void)hf_err_text(&err, text, sizeof(text));
    ck_assert_msg(strstr(text, refused[_i].why) != NULL && strstr(text, "x.yaml") != NULL, "%s: %s", refused[_i].name,
                  text);
    hf_cluster_set_done(&set);
}
END_TEST

START_TEST(twins_and_nothing)
{
    struct hf_cluster_set set;
    struct hf_err err = HF_ERR_INIT;

    hf_cluster_set_init(&set, "apps");
    ck_assert_int_eq(hf_cluster_set_seal(&set, &err), -ENODATA);
    ck_assert_int_eq(add(&set, "a.yaml", MAP("m"), &err), 0);
    ck_assert_int_eq(add(&set, "b.yaml", MAP("n") "---\n" MAP("m"), &err), 0);
    ck_assert_int_eq(hf_cluster_set_seal(&set, &err), -EEXIST);
    ck_assert_str_eq(err.cause, "ConfigMap site/m is in 'a.yaml' and in 'b.yaml'");
    hf_cluster_set_done(&set);
}
END_TEST

START_TEST(bounded)
{
    struct hf_cluster_set set;
    char text[200];
    int r = 0;

    hf_cluster_set_init(&set, "apps");
    for (unsigned i = 0; i < HF_CLUSTER_MAX_OBJECTS; i++) {
        (void)snprintf(text, sizeof(text), "{apiVersion: v1, kind: ConfigMap, metadata: {name: m%u}}", i);
        ck_assert_int_eq(add(&set, "a.yaml", text, NULL), 0);
    }
    ck_assert_int_eq(add(&set, "a.yaml", MAP("more"), NULL), -E2BIG);
    ck_assert_int_eq(hf_cluster_set_seal(&set, NULL), 0);
    hf_cluster_set_done(&set);

    struct hf_buf big = HF_BUF_INIT(2 << 20);
    ck_assert_int_eq(
        hf_buf_addf(&big, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: \"%0*d\"}\n", 1000000, 7),
        0);
    hf_cluster_set_init(&set, "apps");
    for (int i = 0; i < 12 && r == 0; i++)
        r = hf_cluster_set_add(&set, "a.yaml", hf_buf_view(&big), NULL);
    ck_assert_int_eq(r, -E2BIG);
    ck_assert_uint_eq(set.n, 9);
    hf_cluster_set_done(&set);
    hf_buf_clear(&big);
    ck_assert_int_eq(
        hf_buf_addf(&big, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: \"%0*d\"}\n", 1100000, 7),
        0);
    hf_cluster_set_init(&set, "apps");
    ck_assert_int_eq(hf_cluster_set_add(&set, "a.yaml", hf_buf_view(&big), NULL), -E2BIG);
    hf_cluster_set_done(&set);
    hf_buf_done(&big);
}
END_TEST

static void add_cases(TCase *tc)
{
    tcase_add_test(tc, order);
    tcase_add_test(tc, string_data);
    tcase_add_test(tc, only_fields_of_the_author_and_our_label);
    tcase_add_test(tc, namespaces);
    tcase_add_loop_test(tc, refuses_by_name, 0, (int)HF_LEN(refused));
    tcase_add_test(tc, twins_and_nothing);
    tcase_add_test(tc, bounded);
}
HF_TEST_MAIN("manifests/cluster/set", add_cases)
