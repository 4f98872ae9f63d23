//! The digest of a policy: SHA-256 over what decides, in an order of its own.
//!
//! Owns the canonical form. Must not know the text of the source: files, order and origins do not
//! count, so that the same rules give the same digest on every host. Each text goes in with its
//! length and each list with its count, so that no two policies share a form.

use aws_lc_rs::digest::{SHA256, digest as hash};
use model::PolicyDigest;

use crate::source::{
    BlockSource, ClassificationSource, PolicySource, RoleSource, RuleSource, TargetFacts,
    TargetScope,
};

pub(crate) fn digest(source: &PolicySource) -> PolicyDigest {
    let mut form = Form::default();
    form.text("portcullis policy 4");
    form.forms(source.roles.iter().map(role));
    form.forms(source.classification.iter().map(classification));
    form.forms(source.targets.iter().map(target));
    let mut bytes = [0; 32];
    for (byte, hashed) in bytes.iter_mut().zip(hash(&SHA256, &form.0).as_ref()) {
        *byte = *hashed;
    }
    PolicyDigest::from_bytes(bytes)
}

fn role(role: &RoleSource) -> Form {
    let mut form = Form::default();
    form.text(role.name.as_str());
    form.texts(role.groups.iter());
    form.texts(role.unmask.iter());
    form.forms(role.rules.iter().map(rule));
    form
}

fn rule(rule: &RuleSource) -> Form {
    let mut form = Form::default();
    form.text(rule.id.as_str());
    form.text(&rule.effect.to_string());
    match &rule.targets {
        TargetScope::All => form.text("all"),
        TargetScope::Named(names) => form.text("named").texts(names.iter()),
    };
    form.texts(rule.environments.iter().map(|one| &one.0));
    form.forms(rule.block.iter().map(block));
    form.texts(rule.when.iter());
    form.forms(rule.approvers.iter().map(|approvers| {
        let mut form = Form::default();
        form.text(approvers.group.as_str());
        form.text(&approvers.count.to_string());
        form.text(&approvers.within.as_nanos().to_string());
        form
    }));
    form
}

fn block(block: &BlockSource) -> Form {
    let mut form = Form::default();
    form.text(block.domain.as_str());
    form.texts(block.actions.iter().map(|action| action.as_str()));
    form.texts(block.objects.iter().map(ToString::to_string));
    form.texts(block.functions.iter().map(|pattern| pattern.as_str()));
    form.texts(block.commands.iter().map(|pattern| pattern.as_str()));
    form.texts(block.paths.iter().map(|pattern| pattern.as_str()));
    form.texts(block.destinations.iter().map(|pattern| pattern.as_str()));
    let requests = &block.requests;
    form.texts(requests.methods.iter().map(|action| action.as_str()));
    form.texts(requests.hosts.iter().map(|pattern| pattern.as_str()));
    form.texts(requests.paths.iter().map(|pattern| pattern.as_str()));
    form.forms(requests.query.iter().map(|pattern| {
        let mut form = Form::default();
        form.text(pattern.name()).text(pattern.value());
        form
    }));
    form.texts(requests.statuses.iter().map(ToString::to_string));
    let api = &block.api;
    form.texts(api.verbs.iter().map(|action| action.as_str()));
    form.texts(api.resources.iter().map(|pattern| pattern.as_str()));
    form.texts(api.namespaces.iter().map(|pattern| pattern.as_str()));
    form.texts(api.names.iter().map(|pattern| pattern.as_str()));
    form.texts(api.commands.iter().map(|pattern| pattern.as_str()));
    form.texts(api.paths.iter().map(|pattern| pattern.as_str()));
    form
}

fn classification(one: &ClassificationSource) -> Form {
    let mut form = Form::default();
    form.text(one.tag.as_str());
    form.texts(one.target.iter());
    form.texts(one.columns.iter().map(|pattern| pattern.as_str()));
    form.texts(one.detect.iter().map(|detector| detector.as_str()));
    form.text(one.mask.as_str());
    form.texts(one.paths.iter().map(|pattern| pattern.as_str()));
    form.texts(one.fields.iter().map(|pattern| pattern.as_str()));
    form.texts(one.routes.iter().map(|pattern| pattern.as_str()));
    form.texts(one.resources.iter().map(|pattern| pattern.as_str()));
    form
}

fn target(target: &TargetFacts) -> Form {
    let mut form = Form::default();
    form.text(target.name.as_str());
    form.text(target.domain.as_str());
    form.texts(target.environment.iter().map(|one| &one.0));
    form
}

/// Bytes that can be read in one way only.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
struct Form(Vec<u8>);

impl Form {
    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// A set of texts: order and repetition do not count.
    fn texts(&mut self, texts: impl Iterator<Item = impl AsRef<str>>) -> &mut Self {
        self.forms(texts.map(|text| {
            let mut form = Self::default();
            form.text(text.as_ref());
            form
        }))
    }

    fn forms(&mut self, forms: impl Iterator<Item = Self>) -> &mut Self {
        let mut forms: Vec<Self> = forms.collect();
        forms.sort();
        forms.dedup();
        self.0.extend_from_slice(&(forms.len() as u64).to_be_bytes());
        for form in &forms {
            self.bytes(&form.0);
        }
        self
    }
}
