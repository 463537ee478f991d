//! State that changes once an epoch: what a hand-written incremental operator is made of.
//!
//! The logic sees an epoch when nothing more can come for it, in the order of epochs, and all of it at once. So it says what
//! changed once a key and an epoch, however many rows touched the key, and its answer does not depend on scheduling.

use timely::Container;
use timely::dataflow::channels::pact::{ParallelizationContract, Pipeline};
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Stream, StreamVec};
use timely::order::TotalOrder;
use timely::progress::Timestamp;

use crate::agenda::Agenda;
use crate::outputs::Outputs;

/// Extension trait for streams of any container.
pub trait EachEpoch<'scope, T: Timestamp, C: Container> {
    /// Calls `logic` with the containers of each epoch, the `words` that were said of it, and two lists for what it yields.
    ///
    /// Words come by their own way, such as a watermark or changes of a static set; an epoch of words alone is handed over
    /// too. Latency: an epoch waits until it is complete at both inputs. Memory: the epochs in flight.
    ///
    /// ```
    /// use hexflow_operators::each_epoch::EachEpoch;
    /// use timely::dataflow::channels::pact::Pipeline;
    /// use timely::dataflow::operators::ToStream;
    /// use timely::dataflow::operators::generic::operator::empty;
    /// use timely::dataflow::operators::Inspect;
    ///
    /// timely::example(|scope| {
    ///     let words = empty::<_, Vec<u64>>(scope);
    ///     let (sums, _) = (0..10u64).to_stream(scope).container::<Vec<_>>().each_epoch(Pipeline, "Sum", words, {
    ///         |numbers, _words, sums: &mut Vec<u64>, _other: &mut Vec<u64>| sums.push(numbers.iter().flatten().sum())
    ///     });
    ///     sums.inspect(|sum| assert_eq!(*sum, 45));
    /// });
    /// ```
    fn each_epoch<P, W, D, E>(
        self,
        pact: P,
        name: &str,
        words: StreamVec<'scope, T, W>,
        logic: impl FnMut(&mut Vec<C>, &mut Vec<W>, &mut Vec<D>, &mut Vec<E>) + 'static,
    ) -> (StreamVec<'scope, T, D>, StreamVec<'scope, T, E>)
    where
        P: ParallelizationContract<T, C>,
        W: Clone + 'static,
        D: Clone + 'static,
        E: Clone + 'static;
}

impl<'scope, T: Timestamp + TotalOrder, C: Container + Default> EachEpoch<'scope, T, C> for Stream<'scope, T, C> {
    fn each_epoch<P, W, D, E>(
        self,
        pact: P,
        name: &str,
        words: StreamVec<'scope, T, W>,
        mut logic: impl FnMut(&mut Vec<C>, &mut Vec<W>, &mut Vec<D>, &mut Vec<E>) + 'static,
    ) -> (StreamVec<'scope, T, D>, StreamVec<'scope, T, E>)
    where
        P: ParallelizationContract<T, C>,
        W: Clone + 'static,
        D: Clone + 'static,
        E: Clone + 'static,
    {
        let mut builder = OperatorBuilder::new(name.to_owned(), self.scope());
        let mut data = builder.new_input(self, pact);
        let mut words = builder.new_input(words, Pipeline);
        let (mut first_output, first_stream) = builder.output::<Vec<D>>();
        let (mut second_output, second_stream) = builder.output::<Vec<E>>();

        builder.build(move |_capabilities| {
            let mut agenda = Agenda::<T, C, W, 2>::default();
            let (mut first, mut second) = (Vec::new(), Vec::new());
            move |frontiers| {
                data.for_each(|time, batch| {
                    let epoch = agenda.epoch(time.time(), || [time.retain(0), time.retain(1)]);
                    epoch.data.push(std::mem::take(batch));
                });
                words.for_each(|time, said| {
                    agenda.epoch(time.time(), || [time.retain(0), time.retain(1)]).words.append(said);
                });
                while let Some(mut epoch) = agenda.next(frontiers) {
                    logic(&mut epoch.data, &mut epoch.words, &mut first, &mut second);
                    let [to_first, to_second] = &epoch.capabilities;
                    first_output.activate().session(to_first).give_iterator(first.drain(..));
                    second_output.activate().session(to_second).give_iterator(second.drain(..));
                }
            }
        });
        (first_stream, second_stream)
    }
}
