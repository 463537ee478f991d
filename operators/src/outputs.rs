//! Outputs of an operator that is built by hand, each with its stream.

use timely::Container;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::Timestamp;

/// An output of containers `C`, as its operator has it before it runs.
pub type Output<T, C> = OutputBuilder<T, CapacityContainerBuilder<C>>;

/// Extension trait for operators in the making.
pub trait Outputs<'scope, T: Timestamp> {
    /// Adds an output that sends containers as they are given, and the stream of them.
    ///
    /// ```
    /// use hexflow_operators::outputs::Outputs;
    /// use timely::dataflow::channels::pact::Pipeline;
    /// use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
    /// use timely::dataflow::operators::{Inspect, ToStream};
    ///
    /// timely::example(|scope| {
    ///     let mut builder = OperatorBuilder::new("Halves".to_owned(), scope);
    ///     let mut input = builder.new_input([1, 2, 3, 4].to_stream(scope), Pipeline);
    ///     let (mut output, halves) = builder.output::<Vec<i32>>();
    ///     builder.build(move |_capabilities| {
    ///         move |_frontiers| {
    ///             input.for_each(|time, numbers: &mut Vec<i32>| {
    ///                 output.activate().session(&time.retain(0)).give_iterator(numbers.drain(..).map(|n| n / 2));
    ///             });
    ///         }
    ///     });
    ///     halves.inspect(|half| assert!(*half <= 2));
    /// });
    /// ```
    fn output<C: Container + Clone>(&mut self) -> (Output<T, C>, Stream<'scope, T, C>);
}

impl<'scope, T: Timestamp> Outputs<'scope, T> for OperatorBuilder<'scope, T> {
    fn output<C: Container + Clone>(&mut self) -> (Output<T, C>, Stream<'scope, T, C>) {
        let (output, stream) = self.new_output::<C>();
        (Output::from(output), stream)
    }
}
