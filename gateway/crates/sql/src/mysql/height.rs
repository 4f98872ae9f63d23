//! How high the tree of a text can become.
//!
//! Owns a bound that needs no grammar: a tree grows by one level for each operator of a chain and
//! for each open parenthesis. A tree of tens of thousands of levels would end the process when it
//! is dropped, so a text beyond the bound never reaches the grammar. Must not know what operators
//! mean.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use crate::{AnalysisLimits, Unreadable};

/// Operators of one chain, together with those around it. Raised, a statement needs more stack
/// while its tree is dropped: [`STACK_OF_A_LEVEL`] for each.
const CHAIN_MAX: usize = 4_000;
/// Parentheses inside one another. Raised, the grammar tries more readings of each.
const PARENTHESES_MAX: usize = 250;
/// Joins of one `SELECT`. The server takes 61 tables.
const JOINS_MAX: usize = 100;
/// Stack that dropping or comparing one level of a tree takes, generously.
const STACK_OF_A_LEVEL: usize = 1_024;

/// What has been seen so far.
#[derive(Debug)]
pub(super) struct Height {
    /// For each open parenthesis.
    open: Vec<Level>,
    /// The sum of all these.
    now: usize,
    highest: usize,
    /// Joins since the last `SELECT`.
    joins: usize,
    tokens_left: usize,
    nodes_max: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// Operators since the last comma or clause.
    chain: usize,
    /// Set operations, which go on over commas and clauses.
    spine: usize,
}

impl Height {
    pub(super) fn new(limits: &AnalysisLimits) -> Self {
        let nodes_max = limits.nodes_max;
        Self {
            open: vec![Level::default()],
            now: 0,
            highest: 0,
            joins: 0,
            tokens_left: nodes_max,
            nodes_max,
        }
    }

    /// Stack that the tree needs to be dropped.
    pub(super) const fn stack(&self) -> usize {
        self.highest * STACK_OF_A_LEVEL
    }

    pub(super) fn add(&mut self, token: &Token) -> Result<(), Unreadable> {
        let nodes_max = self.nodes_max;
        self.tokens_left =
            self.tokens_left.checked_sub(1).ok_or(Unreadable::TooComplex { nodes_max })?;
        match token {
            Token::LParen => {
                self.open.push(Level::default());
                self.grow(true);
            }
            Token::RParen if self.open.len() > 1 => {
                let closed = self.open.pop().unwrap_or_default();
                self.now -= closed.chain + closed.spine;
            }
            Token::Comma => self.restart(),
            Token::SemiColon => {
                self.open = vec![Level::default()];
                self.now = 0;
            }
            Token::Word(word) => match word.keyword {
                // Between these, chains are of different clauses.
                Keyword::WHERE | Keyword::HAVING | Keyword::GROUP | Keyword::ORDER => {
                    self.restart();
                }
                // One after the other, they nest or chain.
                Keyword::AND
                | Keyword::OR
                | Keyword::XOR
                | Keyword::NOT
                | Keyword::LIKE
                | Keyword::IS
                | Keyword::IN
                | Keyword::BETWEEN
                | Keyword::REGEXP
                | Keyword::RLIKE
                | Keyword::DIV
                | Keyword::COLLATE
                | Keyword::CASE
                | Keyword::INTERVAL
                | Keyword::BINARY => self.grow(false),
                // Without conditions they nest.
                Keyword::JOIN | Keyword::STRAIGHT_JOIN => {
                    self.joins += 1;
                    self.grow(false);
                }
                Keyword::SELECT => self.joins = 0,
                Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS => {
                    self.grow(true);
                }
                _ => {}
            },
            Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::HexStringLiteral(_)
            | Token::Placeholder(_)
            | Token::RParen => {}
            _ => self.grow(false),
        }
        if self.now > CHAIN_MAX {
            return Err(Unreadable::Tangled { what: "a chain of operators that is too long" });
        }
        if self.joins > JOINS_MAX {
            return Err(Unreadable::Tangled { what: "more joins than the server takes" });
        }
        if self.open.len() > PARENTHESES_MAX {
            return Err(Unreadable::TooDeep { depth_max: PARENTHESES_MAX });
        }
        Ok(())
    }

    fn grow(&mut self, spine: bool) {
        if let Some(own) = self.open.last_mut() {
            let counter = if spine { &mut own.spine } else { &mut own.chain };
            *counter += 1;
            self.now += 1;
            self.highest = self.highest.max(self.now);
        }
    }

    fn restart(&mut self) {
        if let Some(own) = self.open.last_mut() {
            self.now -= own.chain;
            own.chain = 0;
        }
    }
}
