//! The account of a pod, and what it may do.

use telstack_system::{
    Origin, Pod, Value,
    cluster::{Binding, Role},
};

use super::Of;
use crate::doc::{self, Block};

const RBAC: &str = "rbac.authorization.k8s.io/v1";
const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

impl Of<'_> {
    /// Account, roles and bindings.
    pub(super) fn permissions(&self) -> Vec<Value> {
        let mut out = self.permissions_of(self.pod);
        if let Some(shared) = &self.pod.targets_shared {
            // The pod of the target allocator is in the same namespace, as another account.
            let pod = Pod { service_account: shared.account.clone(), ..self.pod.clone() };
            out.extend(self.permissions_of(&pod));
        }
        out
    }

    fn permissions_of(&self, pod: &Pod) -> Vec<Value> {
        let mut out = Vec::new();
        if let Some(account) = self.cluster.account(pod) {
            let mut object = self.object("v1", "ServiceAccount", &account.name, true, &account.origin);
            out.push(object.finish(&account.origin));
        }
        for binding in self.cluster.bindings_of(pod) {
            let wanted = &binding.role.value;
            let role = |it: &&Role| {
                it.cluster == wanted.cluster && it.name == wanted.name && it.namespace == binding.namespace
            };
            out.extend(self.cluster.roles.iter().find(role).map(|it| self.role(it)));
            out.push(self.binding(binding));
        }
        out
    }

    fn role(&self, role: &Role) -> Value {
        let kind = if role.cluster { "ClusterRole" } else { "Role" };
        let place = role.namespace.as_ref().map(|it| role.origin.string(&**it));
        let mut out = self.object_in(RBAC, kind, &role.name, place, &role.origin);
        let rules = role.rules.iter().map(|rule| {
            let list = |words: &[String]| rule.origin.flow(words.iter().map(|it| rule.origin.string(&**it)));
            rule.origin.map([
                ("apiGroups", list(&rule.groups)),
                ("resources", list(&rule.resources)),
                ("verbs", list(&rule.verbs)),
            ])
        });
        out.put("rules", role.origin.block(rules));
        out.finish(&role.origin)
    }

    fn binding(&self, binding: &Binding) -> Value {
        let origin = &binding.origin;
        let kind = if binding.cluster { "ClusterRoleBinding" } else { "RoleBinding" };
        let place = binding.namespace.as_ref().map(|it| origin.string(&**it));
        let mut out = self.object_in(RBAC, kind, &binding.name, place, origin);
        let role = &binding.role;
        let role_kind = if role.value.cluster { "ClusterRole" } else { "Role" };
        let at: &Origin = &role.origin;
        out.put(
            "roleRef",
            at.map([
                ("apiGroup", at.string(RBAC_GROUP)),
                ("kind", at.string(role_kind)),
                ("name", at.string(&*role.value.name)),
            ]),
        );
        let subjects = binding.subjects.iter().map(|subject| {
            let mut out = Block::new();
            out.put("kind", subject.origin.string(&*subject.kind)).put("name", subject.origin.string(&*subject.name));
            out.put_some("namespace", subject.namespace.as_ref().map(|it| subject.origin.string(&**it)));
            out.finish(&subject.origin)
        });
        out.put("subjects", doc::follows("who gets it", &[origin]).block(subjects));
        out.finish(origin)
    }
}
